using BoostingTicket.Training.Optimization;

namespace BoostingTicket.Training.Tests.Optimization;

internal sealed class LearningRateScheduleTests
{
    [Test]
    public void The_paper_schedule_warms_up_linearly_and_drops_at_half_and_three_quarters()
    {
        var settings = new TrainingSettings
        {
            Epochs = 20,
            LearningRate = 0.1,
            WarmupFrom = 0.01,
            WarmupLength = StepLength.Parse("5%", "warmup"),
        };
        var schedule = new LearningRateSchedule(settings, stepsPerEpoch: 352);

        Assert.Multiple(() =>
        {
            Assert.That(schedule.TotalSteps, Is.EqualTo(7040));
            Assert.That(schedule.RateAt(0), Is.EqualTo(0.01));
            Assert.That(schedule.RateAt(176), Is.EqualTo(0.055).Within(1e-12));
            Assert.That(schedule.RateAt(352), Is.EqualTo(0.1));
            Assert.That(schedule.RateAt(3519), Is.EqualTo(0.1));
            Assert.That(schedule.RateAt(3520), Is.EqualTo(0.01).Within(1e-15));
            Assert.That(schedule.RateAt(5279), Is.EqualTo(0.01).Within(1e-15));
            Assert.That(schedule.RateAt(5280), Is.EqualTo(0.001).Within(1e-15));
        });
    }

    [Test]
    public void Without_warm_up_and_drops_the_rate_is_constant()
    {
        var schedule = new LearningRateSchedule(
            new TrainingSettings { Epochs = 3, LearningRate = 0.05, LearningRateDrops = [] }, stepsPerEpoch: 10);

        Assert.That(Enumerable.Range(0, 30).Select(step => schedule.RateAt(step)), Is.All.EqualTo(0.05));
    }

    [Test]
    public void A_linear_decay_begins_after_the_warm_up_and_ends_at_zero_whatever_the_drops()
    {
        var schedule = new LearningRateSchedule(
            new TrainingSettings
            {
                Epochs = 2,
                LearningRate = 0.4,
                WarmupFrom = 0.1,
                WarmupLength = new StepLength(4, StepUnit.Iterations),
                LearningRateDecay = LearningRateDecay.Linear,
            }, stepsPerEpoch: 10);

        Assert.Multiple(() =>
        {
            Assert.That(schedule.RateAt(2), Is.EqualTo(0.25).Within(1e-15));
            Assert.That(schedule.RateAt(4), Is.EqualTo(0.4).Within(1e-15));
            Assert.That(schedule.RateAt(12), Is.EqualTo(0.2).Within(1e-15));
            Assert.That(schedule.RateAt(19), Is.EqualTo(0.025).Within(1e-15));
        });
    }

    [TestCase("2ep", 20)]
    [TestCase("800it", 800)]
    [TestCase("5%", 5)]
    [TestCase("0.5ep", 5)]
    public void Lengths_are_written_in_epochs_iterations_or_percent(string text, int expected)
    {
        StepLength length = StepLength.Parse(text, "warmup");

        Assert.Multiple(() =>
        {
            Assert.That(length.ToIterations(iterationsPerEpoch: 10, totalIterations: 100), Is.EqualTo(expected));
            Assert.That(length.ToString(), Is.EqualTo(text));
        });
    }

    [TestCase("5")]
    [TestCase("-1ep")]
    [TestCase("NaN%")]
    [TestCase("")]
    public void Anything_else_is_refused_with_the_three_forms(string text)
    {
        ConfigurationException error =
            Assert.Throws<ConfigurationException>(() => StepLength.Parse(text, "the warm-up"))!;

        Assert.That(error.Message, Does.Contain("the warm-up").And.Contain("2ep").And.Contain("800it").And.Contain("5%"));
    }
}
