using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Optimization;

namespace BoostingTicket.Runs.Configuration;

/// <summary>Where the weights of a training begin.</summary>
internal enum TrainingStart
{
    /// <summary>The seed's initial weights.</summary>
    Initial,

    /// <summary>Another draw of the seed's initial weights: the control.</summary>
    Redrawn,

    /// <summary>The weights of a ticket that was given.</summary>
    Given,
}

/// <summary>All that decides the outcome of one training, and nothing else; run, train, retrain, experiment and profile compose
/// theirs by <see cref="Of"/>. Device and number format are chosen where it runs. What cannot matter is at its default, so that
/// equal trainings are equal records.</summary>
internal sealed record TrainingJob
{
    /// <summary>Registered name of the model.</summary>
    public required string Model { get; init; }

    /// <summary>Whether hidden linear layers can be pruned; null for the model's own choice. It decides the order of the
    /// parameters.</summary>
    public bool? HiddenLinear { get; init; }

    /// <summary>How initial weights are drawn: <c>he</c> or <c>glorot</c>.</summary>
    public required string Initialization { get; init; }

    /// <summary>Where the weights begin.</summary>
    public TrainingStart Start { get; init; }

    /// <summary>What identifies the ticket whose mask is kept: the SHA-256 of one that was given, or the name of the work that
    /// draws it. Null for a dense network.</summary>
    public string? Ticket { get; init; }

    /// <summary>Whether the ticket's mask is shuffled within each layer: the other control.</summary>
    public bool Shuffled { get; init; }

    /// <summary>Training images, their normalisation and augmentation. How many test images there are does not matter.</summary>
    public required DataSettings Data { get; init => field = value with { TestSamples = 0 }; }

    /// <summary>Method, its options, epochs, batches, rates.</summary>
    public required TrainingSettings Settings
    {
        get; init =>
        // Of a single replica there is nothing to choose. Errors find the settings' place by reference.
        field = value.Replicas > 1 || value.ReplicaStatistics == ReplicaStatistics.Mean
            ? value
            : value with { ReplicaStatistics = ReplicaStatistics.Mean };
    }

    /// <summary>The attack of adversarial training and of the validation probe.</summary>
    public required AttackSettings Attack { get; init; }

    /// <summary>The validation after each epoch, which decides on best weights and early stopping. The attack of tests does not
    /// matter.</summary>
    public required EvaluationSettings Validation
    {
        get; init =>
        field = value with { Attack = new EvaluationSettings().Attack };
    }

    /// <summary>Seed of weights, split, order, augmentation and attacks.</summary>
    public ulong Seed { get; init; }

    /// <summary>Whether a GPU takes only algorithms that give the same bits in every process.</summary>
    public bool Deterministic { get; init; }

    /// <summary>One training of a configuration, from its seed's initial weights.</summary>
    /// <param name="configuration">Model, data, attack, validation.</param>
    /// <param name="settings">The training.</param>
    /// <param name="seed">The seed.</param>
    public static TrainingJob Of(RunConfiguration configuration, TrainingSettings settings, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return new TrainingJob
        {
            Model = configuration.Model,
            HiddenLinear = configuration.Pruning.HiddenLinear,
            Initialization = configuration.Initialization,
            Data = configuration.Data,
            Settings = settings,
            Attack = configuration.Attack,
            Validation = configuration.Evaluation,
            Seed = seed,
            Deterministic = configuration.Deterministic,
        };
    }

    /// <summary>The same with nothing that attacks: no probe in validation, and an attack at its default.</summary>
    public TrainingJob WithoutAttack() => this with
    {
        Attack = new AttackSettings(),
        Validation = new EvaluationSettings { ProbeSteps = 0, BatchSize = Validation.BatchSize },
    };

    /// <summary>How training images are changed.</summary>
    public Augmentation Augmentation => Data.CropFlip ? Augmentation.Crop4Flip : Augmentation.None;

    /// <summary>The weights that it begins with, drawn from its seed.</summary>
    /// <param name="table">Parameters of its model.</param>
    /// <exception cref="InvalidOperationException">They were given, and are not drawn.</exception>
    public ModelState DrawStart(ParameterTable table)
    {
        InitializationScheme scheme = BoostingTicket.Training.Models.Initialization.ParseScheme(Initialization);
        return Start switch
        {
            TrainingStart.Initial => BoostingTicket.Training.Models.Initialization.Draw(table, Seed, scheme),
            TrainingStart.Redrawn => BoostingTicket.Training.Models.Initialization.Redraw(table, Seed, scheme),
            _ => throw new InvalidOperationException("the weights of a given ticket are read, not drawn"),
        };
    }

    /// <summary>The job in the shape in which version 0.1.0 wrote and hashed an experiment's trainings: one training in a whole
    /// configuration. <see cref="Start"/> and <see cref="Ticket"/> stand beside it there. The shape is kept, so that the keys of
    /// recorded experiments mean what they meant.</summary>
    /// <param name="preset">What the configuration says it started from.</param>
    public RunConfiguration Record(string preset) => new()
    {
        Preset = preset,
        Model = Model,
        Initialization = Initialization,
        Deterministic = Deterministic,
        Seed = Seed,
        Arms = [Arm.Dense],
        Data = Data,
        Attack = Attack,
        Donor = Settings,
        Pruning = new PruningSettings { HiddenLinear = HiddenLinear },
        Retrain = Settings,
        Dense = Settings,
        Evaluation = Validation,
    };
}
