using System.Diagnostics;
using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Benchmarks;

/// <summary>Times one model in both engines, dense and pruned, everything in turn: this engine in float32 against TorchSharp's
/// fastest variant in float32, and with attacks in bfloat16, where the processor computes them, against its fastest in
/// bfloat16.</summary>
/// <remarks>TorchSharp computes with dense kernels whatever is pruned, so that its attack step is timed once for all sparsities,
/// and its training step once without and once with masks. In the short form a step of PGD training is composed, repetition by
/// repetition, of its parts: start of the attack (with the filters of new weights), ten attack steps, step of training.</remarks>
/// <param name="model">The model.</param>
/// <param name="backend">This engine's CPU backend.</param>
/// <param name="bfloat16">The same with attacks in bfloat16; null where the processor does not compute them.</param>
/// <param name="whole">Whether steps of PGD training are timed as a whole instead.</param>
internal sealed class NetworkRatios(BenchmarkModel model, IBackend backend, IBackend? bfloat16, bool whole)
{
    private const int LeastRepetitions = 3;

    /// <summary>The sparsities of the comparison.</summary>
    public static IReadOnlyList<double> Sparsities { get; } = [0, 0.8, 0.9, 0.95];

    /// <summary>Times.</summary>
    /// <param name="fastest">TorchSharp's fastest variants, one a number format.</param>
    /// <param name="repetitions">At most so many.</param>
    /// <param name="budget">Seconds after which no further repetition begins, once there are three.</param>
    /// <exception cref="InvalidOperationException">The engines disagree.</exception>
    public IReadOnlyList<RatioRow> Run(IReadOnlyList<TorchVariant> fastest, int repetitions, double budget)
    {
        long start = Stopwatch.GetTimestamp();
        var pairs = new List<(Side Ours, TorchSide Theirs)>();
        var opened = new List<IDisposable>();
        try
        {
            foreach (TorchVariant variant in fastest)
            {
                IBackend own = variant.BFloat16 && bfloat16 is not null ? bfloat16 : backend;
                TorchTraining dense = Keep(new TorchTraining(new Workload(model, 0), variant));
                // One masked network stands for all: its mask costs the same whatever it prunes.
                TorchTraining masked = Keep(new TorchTraining(new Workload(model, Sparsities[1]), variant));
                var torch = new TorchSide(dense, masked, whole);
                foreach (double sparsity in Sparsities)
                {
                    var work = new Workload(model, sparsity);
                    OurTraining ours = Keep(new OurTraining(work, own));
                    using var same = new TorchTraining(work, variant);
                    pairs.Add((new Side(ours, Agreement.Require(ours, same), whole), torch));
                }
            }
            List<TimedWork> all = [.. pairs.SelectMany(pair => (TimedWork[])[.. pair.Theirs.All, .. pair.Ours.All]).Distinct()];
            foreach (TimedWork work in all)
                work.Prepare();
            for (int i = 0; i < repetitions && (i < LeastRepetitions
                || Stopwatch.GetElapsedTime(start).TotalSeconds < budget); i++)
            {
                foreach (TimedWork work in all)
                    work.Repeat();
            }
            return [.. pairs.SelectMany(pair => Rows(pair.Ours, pair.Theirs))];
        }
        finally
        {
            foreach (IDisposable one in opened)
                one.Dispose();
        }

        T Keep<T>(T one)
            where T : IDisposable
        {
            opened.Add(one);
            return one;
        }
    }

    private IEnumerable<RatioRow> Rows(Side side, TorchSide torch)
    {
        double pass = 2.0 * side.Ours.Work.Graph.MultiplyAdds * model.Batch, sparsity = side.Ours.Work.Sparsity;
        TimedWork training = sparsity > 0 ? torch.MaskedTraining : torch.Training;
        double disagreement = Math.Max(side.Agreement.Logits, side.Agreement.Gradients);
        const double PgdPasses = 2 * Workload.AttackSteps + 3;
        if (whole)
        {
            TimedWork pgd = sparsity > 0 ? torch.MaskedPgd : torch.Pgd;
            yield return Row("PGD-10 training step", side.Pgd.Seconds, pgd.Seconds, PgdPasses);
            yield break;
        }
        yield return Row("attack step", side.Attack.Seconds, torch.Attack.Seconds, 2);
        yield return Row("training step", side.Training.Seconds, training.Seconds, 3);
        yield return Row(
            "PGD-10 training step", Composed(side.Begin, side.Attack, side.Training),
            Composed(torch.Begin, torch.Attack, training), PgdPasses)
            with
        { Composed = true };

        RatioRow Row(string work, IReadOnlyList<double> ours, IReadOnlyList<double> theirs, double passes) =>
            RatioRow.Of(work, model.Name, model.Batch, sparsity, ours, theirs, passes * pass, disagreement) with
            {
                OursPrecision = side.Ours.Precision,
                Opponent = torch.Variant.Name,
            };
    }

    private static double[] Composed(TimedWork begin, TimedWork attack, TimedWork training) =>
        [.. Enumerable.Range(0, attack.Seconds.Count).Select(i =>
            begin.Seconds[i] + Workload.AttackSteps * attack.Seconds[i] + training.Seconds[i])];

    private sealed class Side
    {
        public Side(OurTraining ours, Agreement agreement, bool whole)
        {
            Ours = ours;
            Agreement = agreement;
            Begin = new TimedWork("begin", ours.BeginAttack, ours.ChangeWeights);
            Attack = new TimedWork("attack", ours.AttackStep, ours.Prepare);
            Training = new TimedWork("training", ours.TrainingStep);
            Pgd = new TimedWork("PGD", ours.PgdTrainingStep);
            All = whole ? [Pgd] : [Begin, Attack, Training];
        }

        public OurTraining Ours { get; }

        public Agreement Agreement { get; }

        public TimedWork Begin { get; }

        public TimedWork Attack { get; }

        public TimedWork Training { get; }

        public TimedWork Pgd { get; }

        public IReadOnlyList<TimedWork> All { get; }
    }

    private sealed class TorchSide
    {
        public TorchSide(TorchTraining dense, TorchTraining masked, bool whole)
        {
            Begin = new TimedWork("begin", dense.BeginAttack);
            Attack = new TimedWork("attack", dense.AttackStep, dense.Evaluate);
            Training = new TimedWork("training", dense.TrainingStep);
            MaskedTraining = new TimedWork("masked training", masked.TrainingStep);
            Pgd = new TimedWork("PGD", dense.PgdTrainingStep);
            MaskedPgd = new TimedWork("masked PGD", masked.PgdTrainingStep);
            Variant = dense.Variant;
            All = whole ? [Pgd, MaskedPgd] : [Begin, Attack, Training, MaskedTraining];
        }

        public TorchVariant Variant { get; }

        public TimedWork Begin { get; }

        public TimedWork Attack { get; }

        public TimedWork Training { get; }

        public TimedWork MaskedTraining { get; }

        public TimedWork Pgd { get; }

        public TimedWork MaskedPgd { get; }

        public IReadOnlyList<TimedWork> All { get; }
    }
}
