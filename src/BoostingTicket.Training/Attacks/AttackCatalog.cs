using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Training.Attacks;

/// <summary>What an attack is made from.</summary>
/// <param name="Model">The network.</param>
/// <param name="Settings">Settings of the evaluation's attack: all attacks share its ε; PGD takes step size, steps and restarts from
/// it too.</param>
/// <param name="Stream">Key of the random numbers.</param>
public sealed record AttackContext(NetworkModel Model, AttackSettings Settings, ulong Stream)
{
    /// <summary>Radius of the ball, as a device computes with it.</summary>
    public float Epsilon => PixelBall.Radius(Settings.Epsilon);
}

/// <summary>A registered attack.</summary>
/// <param name="Name">Name.</param>
/// <param name="Description">What it is, with its usual budget, in one line.</param>
/// <param name="Create">Makes it.</param>
public sealed record AttackEntry(string Name, string Description, Func<AttackContext, IAttack> Create);

/// <summary>The attacks that an evaluation can run, by name.</summary>
public static class AttackCatalog
{
    /// <summary>Name of the whole of <see cref="Standard"/>.</summary>
    public const string AutoAttack = "autoattack";

    /// <summary>What <see cref="AutoAttack"/> is, in one line.</summary>
    public const string AutoAttackDescription = "AutoAttack (standard): apgd-ce, apgd-t, fab-t and square, each on what the ones before left robust";

    /// <summary>Every attack.</summary>
    public static IReadOnlyList<AttackEntry> All { get; } =
    [
        new("fgsm", "FGSM: one step of ε from the clean image", context => new PgdAttack(context.Model, AttackBudget.Fgsm(context.Epsilon), context.Stream)),
        new("pgd", "PGD with the steps, step size, restarts and loss of the settings", context => Pgd(context, context.Settings)),
        new("pgd-20", "PGD with 20 steps; step size and restarts of the settings", context => Pgd(context, context.Settings with { Steps = 20 })),
        new("pgd-100", "PGD with 100 steps; step size and restarts of the settings", context => Pgd(context, context.Settings with { Steps = 100 })),
        new("cw", "PGD on the margin loss of Carlini and Wagner; steps, step size and restarts of the settings", context => Pgd(context, context.Settings with { Loss = LossKind.CarliniWagner })),
        new("apgd-ce", "Auto-PGD on cross-entropy: 100 steps, 1 restart", context => new AutoPgd(context.Model, context.Epsilon, context.Stream)),
        new("apgd-t", "Auto-PGD on the targeted DLR loss: 100 steps for each of 9 classes", context => new AutoPgd(context.Model, context.Epsilon, context.Stream, targets: 9)),
        new("fab-t", "FAB towards 9 classes: 100 steps for each", context => new FastAdaptiveBoundary(context.Model, context.Epsilon)),
        new("square", "Square, which needs no gradients: 5,000 queries", context => new SquareAttack(context.Model, context.Epsilon, context.Stream)),
    ];

    /// <summary>The attacks of the standard version of AutoAttack on L∞, in its order.</summary>
    public static IReadOnlyList<AttackEntry> Standard { get; } = [.. new[] { "apgd-ce", "apgd-t", "fab-t", "square" }.Select(Find)];

    /// <summary>Every name that <see cref="Stages"/> understands, with its description.</summary>
    public static IReadOnlyList<(string Name, string Description)> Names { get; } =
        [.. All.Select(attack => (attack.Name, attack.Description)), (AutoAttack, AutoAttackDescription)];

    /// <summary>The attacks behind a name: one, or those of AutoAttack.</summary>
    /// <exception cref="ConfigurationException">Nothing has the name.</exception>
    public static IReadOnlyList<AttackEntry> Stages(string name) => name == AutoAttack ? Standard : [Find(name)];

    private static AttackEntry Find(string name) => All.FirstOrDefault(attack => attack.Name == name)
        ?? throw new ConfigurationException(
            $"There is no attack '{name}'; {NearestName.Remedy(name, [.. All.Select(attack => attack.Name), AutoAttack])}");

    private static PgdAttack Pgd(AttackContext context, AttackSettings settings) =>
        new(context.Model, AttackBudget.Pgd(settings), context.Stream);
}
