using System.Text.Json.Serialization;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Evaluation;

/// <summary>How far an evaluation by attacks is after some batch of some round: what it needs to go on and come to the same
/// result. Which samples are correct clean is not part of it, since finding that again is one pass.</summary>
/// <param name="samples">Samples evaluated.</param>
internal sealed class AttackState(int samples)
{
    /// <summary>Results of the stages that are done.</summary>
    public List<AttackResult> Results { get; init; } = [];

    /// <summary>Warnings of those stages.</summary>
    public List<string> Warnings { get; init; } = [];

    /// <summary>The stage in progress; null between stages.</summary>
    public AttackStage? Stage { get; set; }

    /// <summary>Whether each sample is robust still against the attack in progress.</summary>
    public bool[] Robust { get; } = new bool[samples];

    /// <summary>Whether each sample was right clean and fooled by no attack yet.</summary>
    public bool[] Unfooled { get; } = new bool[samples];

    /// <summary>The images kept, as <see cref="AttackEvaluator.Adversarial"/> describes them; empty if none are.</summary>
    public float[] Images { get; set; } = [];

    /// <summary>Makes sure that the state is one of an evaluation's course.</summary>
    /// <param name="course">Title and rounds of each stage, in the order in which they run.</param>
    /// <exception cref="DamagedFileException">It is not: it has other stages, or is in a round that there is not.</exception>
    internal void RequireFits(IReadOnlyList<(string Title, int Rounds)> course)
    {
        bool fits = Results.Count <= course.Count
            && Results.Zip(course).All(pair => pair.First.Attack == pair.Second.Title && pair.First.Samples == Robust.Length)
            && (Stage is null || (Results.Count < course.Count && Stage.Round <= course[Results.Count].Rounds));
        if (!fits)
            throw new DamagedFileException(
                "The kept state of the evaluation is at a stage or round that its attacks do not have; delete "
                + "evaluation.state.safetensors in the folder of the evaluation to start it again.");
    }
}

/// <summary>How far a stage, an attack or one of AutoAttack's four, is.</summary>
/// <param name="Attacked">Samples that it was given.</param>
/// <param name="Round">Round in progress, from 0 on.</param>
/// <param name="Next">Position of the first sample that this round has not come to yet.</param>
/// <param name="Starts">Samples attacked so far, counted in every round.</param>
/// <param name="ZeroGradients">How many of them had no gradient.</param>
/// <param name="LargestPerturbation">Largest perturbation so far.</param>
/// <param name="Seconds">Seconds so far.</param>
internal sealed record AttackStage(
    int Attacked, int Round, int Next, long Starts, long ZeroGradients, float LargestPerturbation, double Seconds)
    : IStoredRecord
{
    /// <summary>Those of <see cref="ZeroGradients"/> that a margin loss attacked instead.</summary>
    public long ByMargin { get; init; }

    /// <summary>Those of <see cref="ZeroGradients"/> that no loss had a gradient for.</summary>
    public long Blind { get; init; }

    /// <summary>The counts of gradients so far.</summary>
    [JsonIgnore]
    public GradientCounts Gradients => new(Starts, ZeroGradients, ByMargin, Blind);

    string? IStoredRecord.WrongMember() => StoredValues.First(
        ("number of attacked samples", Attacked >= 0),
        ("round", Round >= 0),
        ("next sample", Next >= 0),
        ("number of starts", Starts >= 0),
        ("number of gradients of zero", ZeroGradients >= 0 && ZeroGradients <= Starts),
        ("largest perturbation", StoredValues.IsAmount(LargestPerturbation)),
        ("seconds", StoredValues.IsAmount(Seconds)));
}

/// <summary>Where an evaluation by attacks keeps how far it is.</summary>
internal interface IAttackStorage
{
    /// <summary>The state to go on from; null to begin.</summary>
    AttackState? Restore();

    /// <summary>Keeps a state.</summary>
    void Save(AttackState state);
}
