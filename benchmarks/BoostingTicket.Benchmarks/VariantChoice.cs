using BoostingTicket.Engine.Backends;
using BoostingTicket.TorchSharpSupport;

namespace BoostingTicket.Benchmarks;

/// <summary>How fast TorchSharp does a model's step of PGD training in one of its variants.</summary>
/// <param name="Model">Model.</param>
/// <param name="Batch">Samples.</param>
/// <param name="Variant">The variant's name.</param>
/// <param name="AttackSeconds">Seconds of an attack's step, of the fastest repetition.</param>
/// <param name="TrainingSeconds">Seconds of the step of training.</param>
/// <param name="PgdSeconds">Seconds of a step of PGD-10 training, composed of its parts.</param>
/// <param name="IsFastest">Whether it is the fastest of its number format.</param>
internal sealed record VariantRow(
    string Model, int Batch, string Variant, double AttackSeconds, double TrainingSeconds, double PgdSeconds, bool IsFastest);

/// <summary>Finds the fastest variant of each number format for a model: all are timed in turn, dense.</summary>
internal static class VariantChoice
{
    private const int Repetitions = 2;

    /// <summary>Finds them.</summary>
    /// <param name="model">The model.</param>
    /// <param name="backend">This engine's CPU backend in float32, with which all have to agree.</param>
    /// <param name="precision">The one number format that matters; null for float32 and bfloat16.</param>
    /// <returns>The fastest of each number format, and the times of all.</returns>
    /// <exception cref="InvalidOperationException">The engines disagree.</exception>
    public static (IReadOnlyList<TorchVariant> Fastest, IReadOnlyList<VariantRow> Rows) Find(
        BenchmarkModel model, IBackend backend, string? precision = null)
    {
        var work = new Workload(model, sparsity: 0);
        var candidates = new List<Candidate>();
        try
        {
            using (var ours = new OurTraining(work, backend))
            {
                foreach (TorchVariant variant in Variants(model).Where(
                    variant => precision is null || variant.Precision == precision))
                {
                    var theirs = new TorchTraining(work, variant);
                    candidates.Add(new Candidate(theirs));
                    Agreement.Require(ours, theirs);
                }
            }
            for (int i = 0; i <= Repetitions; i++)
            {
                foreach (TimedWork timed in candidates.SelectMany(candidate => candidate.All))
                {
                    if (i == 0)
                        timed.Prepare();
                    else
                        timed.Repeat();
                }
            }
            IReadOnlyList<TorchVariant> fastest =
            [
                .. candidates.GroupBy(candidate => candidate.Variant.BFloat16).Select(
                    group => group.MinBy(candidate => candidate.PgdSeconds)!.Variant),
            ];
            return (fastest,
            [
                .. candidates.Select(candidate => new VariantRow(
                    model.Name, model.Batch, candidate.Variant.Name, candidate.Attack.Seconds.Min(),
                    candidate.Training.Seconds.Min(), candidate.PgdSeconds, fastest.Contains(candidate.Variant))),
            ]);
        }
        finally
        {
            foreach (Candidate candidate in candidates)
                candidate.Dispose();
        }
    }

    // Where there is nothing to fold, folding is no variant.
    private static IEnumerable<TorchVariant> Variants(BenchmarkModel model)
    {
        using var module = model.CreateModule();
        bool folds = module is IFoldable;
        return [.. TorchVariant.All.Where(variant => folds || !variant.Folded)];
    }

    private sealed class Candidate(TorchTraining training) : IDisposable
    {
        public TorchVariant Variant => training.Variant;

        public TimedWork Begin { get; } = new("begin", training.BeginAttack);

        public TimedWork Attack { get; } = new("attack", training.AttackStep, training.Evaluate);

        public TimedWork Training { get; } = new("training", training.TrainingStep);

        public IReadOnlyList<TimedWork> All => [Begin, Attack, Training];

        public double PgdSeconds =>
            Begin.Seconds.Min() + Workload.AttackSteps * Attack.Seconds.Min() + Training.Seconds.Min();

        public void Dispose() => training.Dispose();
    }
}
