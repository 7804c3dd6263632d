using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Tests.Optimization;

internal sealed class CatastrophicOverfittingTests
{
    [Test]
    public void A_fall_of_more_than_a_fifth_under_a_rising_training_accuracy_is_named_with_its_epochs()
    {
        EpochRecord[] history = [Epoch(1, 0.30, 0.35), Epoch(2, 0.40, 0.45), Epoch(3, 0.70, 0.05)];

        string warning = CatastrophicOverfitting.Warning(history)!;

        Assert.That(warning, Does.Contain("epoch 3").And.Contain("epoch 2").And.Contain("45").And.Contain("70"));
    }

    [TestCase(0.70, 0.26, TestName = "A fall of less than a fifth")]
    [TestCase(0.40, 0.15, TestName = "Training accuracy as before")]
    [TestCase(0.70, null, TestName = "No probe")]
    public void Anything_less_is_none(double trainAccuracy, double? robust) =>
        Assert.That(
            CatastrophicOverfitting.Warning([Epoch(1, 0.30, 0.35), Epoch(2, 0.40, 0.45), Epoch(3, trainAccuracy, robust)]),
            Is.Null);

    [Test]
    public void Without_an_earlier_probe_there_is_nothing_to_fall_from()
    {
        Assert.That(CatastrophicOverfitting.Warning([Epoch(1, 0.5, 0.15)]), Is.Null);
        Assert.That(CatastrophicOverfitting.Warning([Epoch(1, 0.5, null), Epoch(2, 0.6, 0.15)]), Is.Null);
    }

    // Accuracy under the training attack, clean and robust accuracy on validation samples, of trainings of version 0.1.0 on 4,000
    // to 6,000 images of MNIST (LeNet-8-16-64), PGD by heart on 200. The number is the epoch in which the rule speaks; 0 for
    // never.
    [TestCase("FGSM 0.35", 2, new[]
    {
        .101, .308, .077, .272, .750, .020, .374, .254, .050,
        .136, .158, .060, .685, .866, .037, .813, .924, .023,
    })]
    [TestCase("FGSM 0.35, slower", 3, new[]
    {
        .098, .130, .073, .148, .310, .107, .221, .590, .010,
        .362, .672, .010, .444, .688, .010,
    })]
    [TestCase("FGSM 0.1", 0, new[] { .389, .790, .583, .785, .932, .800, .868, .944, .857, .919, .954, .860, .923, .958, .873 })]
    [TestCase("FGSM-RS 0.3", 0, new[]
    {
        .094, .124, .060, .157, .256, .077, .282, .734, .173,
        .450, .778, .180, .492, .784, .223, .496, .796, .213,
    })]
    [TestCase("TRADES 0.3", 0, new[]
    {
        .34, .78, .14, .62, .88, .37, .73, .84, .57,
        .80, .82, .50, .84, .92, .72, .89, .92, .74,
    })]
    [TestCase("free 0.2", 0, new[] { .322, .448, .230, .574, .788, .590 })]
    [TestCase("PGD 0.1 by heart", 0, new[]
    {
        .340, .472, .290, .690, .730, .550, .830, .840, .623,
        .905, .876, .740, .990, .884, .723, 1, .888, .737,
    })]
    [TestCase("PGD 0.3 at chance", 0, new[] { .091, .104, .107, .107, .104, .107, .112, .104, .107 })]
    [TestCase("FGSM 16/255, CIFAR-10 at chance", 0, new[]
    {
        .071, .156, .003, .117, .174, .053, .235, .170, .027,
        .264, .132, .027,
    })]
    public void Recorded_trainings_are_judged_right(string name, int speaks, double[] values)
    {
        EpochRecord[] history =
        [
            .. values.Chunk(3).Select(
                (value, index) => new EpochRecord(index + 1, 0.1, 1, value[0], value[1], value[2], default)),
        ];
        int first = Enumerable.Range(1, history.Length)
            .FirstOrDefault(epochs => CatastrophicOverfitting.Warning(history[..epochs]) is not null);
        Assert.That(first, Is.EqualTo(speaks), name);
        if (speaks > 0)
            Assert.That(CatastrophicOverfitting.IsWarning(CatastrophicOverfitting.Warning(history[..first])!));
    }

    [Test]
    public void A_probe_that_contradicts_the_training_attack_is_named_with_its_numbers() =>
        Assert.That(
            CatastrophicOverfitting.Warning([new EpochRecord(1, 0.1, 1, 0.81, 0.92, 0.03, default)]),
            Does.Contain("epoch 1").And.Contain("81.0").And.Contain("92.0").And.Contain("3.0"));

    private static EpochRecord Epoch(int number, double trainAccuracy, double? robust) =>
        new(number, 0.1, 1, trainAccuracy, 0.5, robust, default);
}
