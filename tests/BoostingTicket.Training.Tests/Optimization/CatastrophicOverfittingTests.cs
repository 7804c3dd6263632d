using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Tests.Optimization;

public sealed class CatastrophicOverfittingTests
{
    [Test]
    public void A_fall_of_more_than_a_fifth_under_a_rising_training_accuracy_is_named_with_its_epochs()
    {
        EpochRecord[] history = [Epoch(1, 0.30, 0.35), Epoch(2, 0.40, 0.45), Epoch(3, 0.70, 0.05)];

        string warning = CatastrophicOverfitting.Warning(history)!;

        Assert.That(warning, Does.Contain("epoch 3").And.Contain("epoch 2").And.Contain("45").And.Contain("70"));
    }

    [TestCase(0.70, 0.26, TestName = "A fall of less than a fifth")]
    [TestCase(0.40, 0.05, TestName = "Training accuracy as before")]
    [TestCase(0.70, null, TestName = "No probe")]
    public void Anything_less_is_none(double trainAccuracy, double? robust) =>
        Assert.That(
            CatastrophicOverfitting.Warning([Epoch(1, 0.30, 0.35), Epoch(2, 0.40, 0.45), Epoch(3, trainAccuracy, robust)]), Is.Null);

    [Test]
    public void Without_an_earlier_probe_there_is_nothing_to_fall_from()
    {
        Assert.That(CatastrophicOverfitting.Warning([Epoch(1, 0.5, 0)]), Is.Null);
        Assert.That(CatastrophicOverfitting.Warning([Epoch(1, 0.5, null), Epoch(2, 0.6, 0)]), Is.Null);
    }

    private static EpochRecord Epoch(int number, double trainAccuracy, double? robust) =>
        new(number, 0.1, 1, trainAccuracy, 0.5, robust, default);
}
