using BoostingTicket.Fuzz.Mutation;
using BoostingTicket.Training;

namespace BoostingTicket.Fuzz;

/// <summary>The judge itself.</summary>
internal sealed class FuzzRunnerTests
{
    [Test]
    public void Every_kind_of_fault_is_found()
    {
        var summary = new FuzzSummary("planted");
        foreach (Action fault in (Action[])
        [
            () => throw new OverflowException("planted"), () => Thread.Sleep(TimeSpan.FromSeconds(FuzzRunner.MostSeconds + 0.1)),
            () => GC.KeepAlive(new byte[2 << 20]), () => throw new DamagedFileException("refused"), () => { },
        ])
        {
            using var target = new Planted(fault);
            new FuzzRunner(target, 1).Judge([1, 2, 3], summary);
        }

        Assert.Multiple(() =>
        {
            Assert.That(summary.Failed, Is.EqualTo(3));
            Assert.That(summary.Failures.Keys, Has.Some.Contains("OverflowException"));
            Assert.That(summary.Failures.Keys, Has.Some.Contains("seconds"));
            Assert.That(summary.Failures.Keys, Has.Some.EqualTo("allocation"));
            Assert.That((summary.Rejected, summary.Accepted), Is.EqualTo((1, 1)));
        });
    }

    [Test]
    public void An_input_depends_on_seed_and_number_alone()
    {
        using var target = new Planted(() => { });
        byte[] input = new FuzzRunner(target, 7).InputOf(41);
        Assert.That(new FuzzRunner(target, 7).InputOf(41), Is.EqualTo(input));
        Assert.That(Enumerable.Range(0, 50).Select(number => Convert.ToHexString(new FuzzRunner(target, 7).InputOf(number)))
            .Distinct().Count(), Is.GreaterThan(20));
    }

    private sealed class Planted(Action fault) : FuzzTarget
    {
        public override string Name => "planted";

        public override InputForm Form => InputForm.Json;

        public override void Execute(byte[] input) => fault();

        protected override IEnumerable<byte[]> Seeds() => ["{\"a\":[1,2,3]}"u8.ToArray()];
    }
}
