using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Training.Attacks;

/// <summary>What an attack is made from.</summary>
/// <param name="Model">The network.</param>
/// <param name="Settings">Settings of the evaluation's attack: all attacks share its ε; PGD takes step size, steps and restarts
/// from it too.</param>
/// <param name="Stream">Key of the random numbers.</param>
internal sealed record AttackContext(NetworkModel Model, AttackSettings Settings, ulong Stream)
{
    /// <summary>Radius of the ball, as a device computes with it.</summary>
    public float Epsilon => PixelBall.Radius(Settings.Epsilon);
}

/// <summary>A registered attack: its name, how it is made, and what an evaluation, a statement or a plan has to know about
/// it.</summary>
/// <param name="Name">Name.</param>
/// <param name="Description">What it is, with its usual budget, in one line.</param>
/// <param name="Create">Makes it.</param>
internal sealed record AttackEntry(string Name, string Description, Func<AttackContext, IAttack> Create)
{
    /// <summary>Gradients of one image at most, for plans of what an evaluation costs.</summary>
    public required Func<AttackSettings, int> Gradients { get; init; }

    /// <summary>Steps of the settings' step size that it takes; null where it chooses size and number itself.</summary>
    public Func<AttackSettings, int>? Steps { get; init; }

    /// <summary>Whether those steps are as many as the settings say.</summary>
    public bool TakesSteps { get; init; }

    /// <summary>Whether it is a stage of the standard version of AutoAttack, whose stages are in the order of the
    /// catalogue.</summary>
    public bool IsInAutoAttack { get; init; }

    /// <summary>What to warn of where it comes after other attacks, given robust accuracy, in [0, 1], before it
    /// and after it; null for nothing.</summary>
    public Func<double, double, string?>? WarnAfterOthers { get; init; }
}

/// <summary>The attacks that an evaluation can run, by name.</summary>
public static class AttackCatalog
{
    /// <summary>Name of the whole of <see cref="Standard"/>.</summary>
    public const string AutoAttack = "autoattack";

    /// <summary>What <see cref="AutoAttack"/> is, in one line.</summary>
    public const string AutoAttackDescription =
        "AutoAttack (standard): apgd-ce, apgd-t, fab-t and square, each on what the ones before left robust";

    /// <summary>Every attack.</summary>
    internal static IReadOnlyList<AttackEntry> All { get; } =
    [
        new(
            "fgsm", "FGSM: one step of ε from the clean image",
            context => new PgdAttack(context.Model, AttackBudget.Fgsm(context.Epsilon), context.Stream))
        {
            Gradients = _ => 1,
        },
        Pgd("pgd", "PGD with the steps, step size, restarts and loss of the settings"),
        Pgd("pgd-20", "PGD with 20 steps; step size and restarts of the settings", steps: 20),
        Pgd("pgd-100", "PGD with 100 steps; step size and restarts of the settings", steps: 100),
        Pgd(
            "cw", "PGD on the margin loss of Carlini and Wagner; steps, step size and restarts of the settings",
            loss: LossKind.CarliniWagner),
        new(
            "apgd-ce", "Auto-PGD on cross-entropy: 100 steps, 1 restart",
            context => new AutoPgd(context.Model, context.Epsilon, context.Stream))
        {
            Gradients = _ => 100,
            IsInAutoAttack = true,
        },
        new(
            "apgd-t", "Auto-PGD on the targeted DLR loss: 100 steps for each of 9 classes",
            context => new AutoPgd(context.Model, context.Epsilon, context.Stream, targets: 9))
        {
            Gradients = _ => 900,
            IsInAutoAttack = true,
        },
        new(
            "fab-t", "FAB towards 9 classes: 100 steps for each",
            context => new FastAdaptiveBoundary(context.Model, context.Epsilon))
        {
            Gradients = _ => 900,
            IsInAutoAttack = true,
        },
        new(
            "square", "Square, which needs no gradients: 5,000 queries",
            context => new SquareAttack(context.Model, context.Epsilon, context.Stream))
        {
            Gradients = _ => 0,
            IsInAutoAttack = true,
            WarnAfterOthers = AttackChecks.Square,
        },
    ];

    /// <summary>The attacks of the standard version of AutoAttack on L∞, in its order.</summary>
    internal static IReadOnlyList<AttackEntry> Standard { get; } = [.. All.Where(attack => attack.IsInAutoAttack)];

    /// <summary>Every name that <see cref="Stages"/> understands, with its description.</summary>
    public static IReadOnlyList<(string Name, string Description)> Names { get; } =
        [.. All.Select(attack => (attack.Name, attack.Description)), (AutoAttack, AutoAttackDescription)];

    /// <summary>The attacks behind a name: one, or those of AutoAttack.</summary>
    /// <exception cref="ConfigurationException">Nothing has the name.</exception>
    internal static IReadOnlyList<AttackEntry> Stages(string name) => name == AutoAttack ? Standard : [Find(name)];

    private static AttackEntry Find(string name) => All.FirstOrDefault(attack => attack.Name == name)
        ?? throw new ConfigurationException(
            $"There is no attack '{name}'; {NearestName.Remedy(name, [.. All.Select(attack => attack.Name), AutoAttack])}");

    // PGD where the settings say what the attack does not.
    private static AttackEntry Pgd(string name, string description, int? steps = null, LossKind? loss = null)
    {
        AttackSettings Own(AttackSettings settings) =>
            settings with { Steps = steps ?? settings.Steps, Loss = loss ?? settings.Loss };
        return new AttackEntry(
            name, description,
            context => new PgdAttack(context.Model, AttackBudget.Pgd(Own(context.Settings)), context.Stream))
        {
            Gradients = settings => Own(settings).Steps * settings.Restarts,
            Steps = settings => Own(settings).Steps,
            TakesSteps = steps is null,
        };
    }
}
