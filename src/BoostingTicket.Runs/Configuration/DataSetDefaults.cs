using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Runs.Configuration;

/// <summary>The configuration that holds for a data set where nothing else is said: the one place that puts together what stands
/// beside the data set (<see cref="DataSetConventions"/>) and the preset that it names.</summary>
internal static class DataSetDefaults
{
    /// <summary>The data set where none is named; built in.</summary>
    public const string DataSet = "synthetic-28";

    /// <summary>The configuration of a data set.</summary>
    /// <param name="set">The data set.</param>
    /// <param name="model">Name of the model that is asked for; null for the data set's own. It chooses among the data set's
    /// presets, and is not set.</param>
    public static RunConfiguration Of(IDataSet set, string? model = null)
    {
        ArgumentNullException.ThrowIfNull(set);
        Preset[] presets = [.. set.Conventions.Presets.Select(Presets.Find)];
        IModelFamily? family = model is null ? null : ModelCatalog.FamilyOf(model);
        Preset start = presets.FirstOrDefault(preset =>
            family is not null && ModelCatalog.FamilyOf(preset.Configuration.Model) == family) ?? presets[0];
        return Apply(start.Configuration, set);
    }

    /// <summary>Gives a configuration the images, the attack and the evaluation of a data set.</summary>
    /// <param name="configuration">Model, training and pruning.</param>
    /// <param name="set">The data set.</param>
    public static RunConfiguration Apply(RunConfiguration configuration, IDataSet set)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(set);
        DataSetConventions usual = set.Conventions;
        return ApplyAttack(configuration, usual) with
        {
            Data = configuration.Data with
            {
                Name = set.Name,
                TrainSamples = usual.TrainSamples,
                TestSamples = usual.TestSamples,
                ValidationSamples = usual.ValidationSamples,
                CropFlip = usual.CropFlip,
            },
        };
    }

    /// <summary>Gives a configuration the attack of a data set, in training, validation and evaluation.</summary>
    /// <param name="configuration">Everything else. A validation without attack stays so.</param>
    /// <param name="usual">What holds for the data set.</param>
    public static RunConfiguration ApplyAttack(RunConfiguration configuration, DataSetConventions usual)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(usual);
        return configuration with
        {
            Attack = configuration.Attack with
            {
                Epsilon = usual.Epsilon,
                StepSize = usual.StepSize,
                Steps = usual.TrainingSteps,
            },
            Evaluation = configuration.Evaluation with
            {
                Attack = configuration.Evaluation.Attack with
                {
                    Epsilon = usual.Epsilon,
                    StepSize = usual.StepSize,
                    Steps = usual.EvaluationSteps,
                },
                ProbeSteps = configuration.Evaluation.ProbeSteps == 0 ? 0 : usual.TrainingSteps,
            },
        };
    }
}
