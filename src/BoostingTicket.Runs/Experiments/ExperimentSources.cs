using System.Globalization;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training;
using BoostingTicket.Training.Data;

namespace BoostingTicket.Runs.Experiments;

/// <summary>Where an experiment's configuration comes from: options over the scale over the experiment's own settings.</summary>
/// <param name="Experiment">Name of the experiment.</param>
/// <param name="Scale">Factor of samples, epochs and width as typed; null for full scale.</param>
/// <param name="Options">Settings that were asked for, with their values.</param>
internal sealed record ExperimentSources(
    string Experiment, string? Scale, IReadOnlyList<(ConfigurationOption Option, string Value)> Options)
{
    /// <summary>Whether another data set than the experiment's own brings its own attack along. Version 0.1.0 kept the
    /// experiment's; what it began goes on so.</summary>
    public bool TakesAttack { get; init; } = true;

    /// <summary>Names of what is compared, with commas between; null for all of it.</summary>
    public string? Arms { get; init; }

    /// <summary>Test images that AutoAttack attacks, as typed; null for the experiment's own number.</summary>
    public string? AttackedSamples { get; init; }

    private const string Model = "model", Width = "width", Epochs = "epochs", DataSet = "dataset";

    /// <summary>The configuration that results, checked.</summary>
    /// <exception cref="ConfigurationException">There is no such experiment, or a value cannot be used.</exception>
    public ExperimentConfiguration Compose()
    {
        IExperiment experiment = ExperimentCatalog.Find(Experiment);
        double scale = 1;
        if (Scale is not null && !Fraction.TryParse(Scale, out scale))
            throw new ConfigurationException(
                $"{Setting.Named("scale")} is '{Scale}', which is not a number; give one such as 0.1.");
        ExperimentConfiguration.RequireScale(scale);
        RunConfiguration start = experiment.Base;
        if (Value(DataSet) is { } dataSet)
        {
            if (TakesAttack && dataSet != start.Data.Name)
                start = DataSetDefaults.ApplyAttack(start, DataSetCatalog.Find(dataSet).Conventions);
            start = start with { Data = start.Data with { Name = dataSet, CropFlip = ExperimentScale.CropsAndFlips(dataSet) } };
        }
        var draft = new ConfigurationDraft(start with { Data = ExperimentScale.Apply(start.Data, scale) });
        foreach ((ConfigurationOption option, string value) in ConfigurationSources.InOrder(Options.Where(
            given => given.Option.Name is not (Model or Width or Epochs))))
            option.Apply(draft, value);
        RunConfiguration composed = draft.Build();
        var configuration = new ExperimentConfiguration
        {
            Experiment = Experiment,
            Scale = scale,
            Model = Value(Model),
            Width = Whole(Width, Value(Width), "from 1 on"),
            Epochs = Whole(Epochs, Value(Epochs), "from 1 on"),
            Arms = ArmNames,
            AttackedSamples = Whole(ExperimentConfiguration.AutoAttackSamples, AttackedSamples, "from 0 on"),
            Base = composed,
        };
        configuration.Validate();
        RequireArms(experiment);
        return configuration with { Base = composed with { Data = OwnData.Record(composed.Data) } };
    }

    private string[]? ArmNames => Arms?.Split(',', StringSplitOptions.TrimEntries);

    private void RequireArms(IExperiment experiment)
    {
        IReadOnlyList<string> known = [.. experiment.Arms.Select(arm => arm.Name)];
        if (known.Count == 0 && (Arms is not null || AttackedSamples is not null))
        {
            string option = Arms is null ? ExperimentConfiguration.AutoAttackSamples : "arms";
            throw new ConfigurationException($"{Setting.Named(option)} does not apply to {Experiment}; leave it out.");
        }
        foreach (string arm in ArmNames ?? [])
        {
            if (!known.Contains(arm))
                throw NearestName.Unknown("arm", arm, known);
        }
    }

    private string? Value(string option) =>
        Options.Where(given => given.Option.Name == option).Select(given => given.Value).LastOrDefault();

    private static int? Whole(string option, string? text, string range) => text is null ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value
        : throw new ConfigurationException($"{Setting.Named(option)} is '{text}'; give a whole number {range}.");
}
