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
            Width = Whole(Width),
            Epochs = Whole(Epochs),
            Base = composed,
        };
        configuration.Validate();
        return configuration with { Base = composed with { Data = OwnData.Record(composed.Data) } };
    }

    private string? Value(string option) =>
        Options.Where(given => given.Option.Name == option).Select(given => given.Value).LastOrDefault();

    private int? Whole(string option) => Value(option) is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value
        : throw new ConfigurationException($"{Setting.Named(option)} is '{text}'; give a whole number from 1 on.");
}
