using System.Globalization;

namespace BoostingTicket.Fuzz;

/// <summary>About a second of every target, and the same inputs on every machine.</summary>
internal sealed class FuzzTests
{
    private const int Seed = 20_26;
    private const int Executions = 200_000;
    private const int Fewest = 200;

    [TestCaseSource(typeof(FuzzTargets), nameof(FuzzTargets.Names))]
    public void Mutated_inputs_are_refused_as_documented(string name) => FuzzTargets.Use(targets =>
    {
        FuzzTarget target = targets.Single(target => target.Name == name);
        long share = (long)Executions * target.Weight / targets.Sum(target => target.Weight);
        FuzzSummary summary = new FuzzRunner(target, Seed).Run(0, Math.Max(Fewest, share));
        TestContext.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{summary.Executions} executions, {summary.Rejected} rejected, slowest {summary.SlowestMilliseconds:F1} ms"));
        Assert.Multiple(() =>
        {
            Assert.That(summary.Failures.Values.Select(failure => $"{failure.Kind}: {failure.Detail}"), Is.Empty);
            // Mutations that break everything, or nothing, would test little.
            Assert.That(summary.Rejected, target.RefusesNone ? Is.Zero : Is.GreaterThan(summary.Executions / 50));
            Assert.That(summary.Accepted, Is.GreaterThan(0));
        });
        return true;
    });

    [TestCaseSource(typeof(FuzzTargets), nameof(FuzzTargets.Names))]
    public void Inputs_of_the_corpus_are_taken_or_refused_as_documented(string name) => FuzzTargets.Use(targets =>
    {
        FuzzTarget target = targets.Single(target => target.Name == name);
        var runner = new FuzzRunner(target, Seed);
        var summary = new FuzzSummary(name);
        runner.Run(0, 0);
        foreach (byte[] input in target.Corpus)
            runner.Judge(input, summary);
        Assert.That(summary.Failures.Values.Select(failure => $"{failure.Kind}: {failure.Detail}"), Is.Empty);
        Assert.That(summary.Accepted, Is.GreaterThan(0));
        return true;
    });
}
