using BoostingTicket.Training.Evaluation;

namespace BoostingTicket.Training.Tests.Evaluation;

internal sealed class WilsonIntervalTests
{
    // The closed forms of none and all, z²/(n + z²), and a worked example of the literature (81 of 263).
    [TestCase(0, 10, 0, 0.277533)]
    [TestCase(10, 10, 0.722467, 1)]
    [TestCase(81, 263, 0.255289, 0.366210)]
    [TestCase(4_735, 10_000, 0.463729, 0.483290)]
    public void Ends_are_those_of_the_formula(int successes, int samples, double low, double high)
    {
        WilsonInterval interval = WilsonInterval.Of(successes, samples);
        Assert.That(interval.Low, Is.EqualTo(low).Within(2e-4));
        Assert.That(interval.High, Is.EqualTo(high).Within(2e-4));
    }
}
