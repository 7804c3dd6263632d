using System.Globalization;
using BoostingTicket.Runs.Experiments;
using BoostingTicket.Training;


namespace BoostingTicket.Runs.Configuration;

/// <summary>What an experiment was asked to do: its own settings, and how they are scaled.</summary>
internal sealed record ExperimentConfiguration
{
    /// <summary>What errors call <see cref="AttackedSamples"/>.</summary>
    public const string AutoAttackSamples = "autoattackSamples";

    /// <summary>Name of the experiment.</summary>
    public required string Experiment { get; init; }

    /// <summary>Factor of samples, epochs and width, in (0, 1]; see <see cref="ExperimentScale"/>.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>Model that takes the place of all of the paper's; null for those.</summary>
    public string? Model { get; init; }

    /// <summary>Width of networks: channels of the first stage, or the factor of the widest WideResNet; null for the
    /// scale's.</summary>
    public int? Width { get; init; }

    /// <summary>Epochs of the paper's longest training; others keep their proportion to it. Null for the scale's.</summary>
    public int? Epochs { get; init; }

    /// <summary>Names of what is compared (<see cref="IExperiment.Arms"/>); null for all of it.</summary>
    public IReadOnlyList<string>? Arms { get; init; }

    /// <summary>First test images that AutoAttack attacks; 0 for none, null for the experiment's own number.</summary>
    public int? AttackedSamples { get; init; }

    /// <summary>Data, attack, seeds and what else all pieces of work share; the experiment decides on model, method, rates and
    /// epochs.</summary>
    public required RunConfiguration Base { get; init; }

    /// <summary>What decides on results: what is compared of them is at its default, so that a folder may be continued with more
    /// of it, or with less.</summary>
    public ExperimentConfiguration WithAllArms() => this with { Arms = null, AttackedSamples = null };

    /// <summary>Whether something is to be compared.</summary>
    /// <param name="arm">A name of <see cref="IExperiment.Arms"/>.</param>
    public bool Includes(string arm) => Arms?.Contains(arm) ?? true;

    /// <summary>Checks every range.</summary>
    /// <exception cref="ConfigurationException">One is violated; the message names the setting.</exception>
    public void Validate()
    {
        RequireScale(Scale);
        if (Width is { } width)
            Require.InRange("width", width, 1, 4_096);
        if (Epochs is { } epochs)
            Require.InRange("epochs", epochs, 1, 100_000);
        if (AttackedSamples is { } attacked)
            Require.InRange(AutoAttackSamples, attacked, 0, 100_000_000);
        Base.Validate();
    }

    /// <summary>Makes sure that a scale can be used.</summary>
    /// <exception cref="ConfigurationException">It cannot.</exception>
    public static void RequireScale(double scale)
    {
        // Written so that NaN fails.
        if (!(scale > 0 && scale <= 1))
            throw new ConfigurationException(string.Create(
                CultureInfo.InvariantCulture,
                $"{Setting.Named("scale")} is {scale}; choose a value above 0 and up to 1, such as 0.1 for a tenth of the "
                + $"samples, epochs and width."));
    }
}
