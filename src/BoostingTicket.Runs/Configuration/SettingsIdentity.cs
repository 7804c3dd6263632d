using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Optimization;

namespace BoostingTicket.Runs.Configuration;

/// <summary>
/// What of settings counts when two sets of them are compared: the hash that binds checkpoints and results to their settings.
/// Settings that version 0.1.0 had always count; a setting that came later counts only where it differs from its default. So a
/// program with one more setting still resumes the runs and experiments of an older one, whose hash did not know of it.
/// </summary>
internal static class SettingsIdentity
{
    // The settings of 0.1.0, record by record. Complete: a later setting must not be added, or older runs do not resume.
    private static readonly Dictionary<Type, HashSet<string>> FirstSettings = new()
    {
        [typeof(RunConfiguration)] =
        [
            nameof(RunConfiguration.Preset), nameof(RunConfiguration.Model), nameof(RunConfiguration.Initialization),
            nameof(RunConfiguration.Device), nameof(RunConfiguration.Precision), nameof(RunConfiguration.Deterministic),
            nameof(RunConfiguration.Seed), nameof(RunConfiguration.Seeds), nameof(RunConfiguration.Arms),
            nameof(RunConfiguration.Data),
            nameof(RunConfiguration.Attack), nameof(RunConfiguration.Donor), nameof(RunConfiguration.Pruning),
            nameof(RunConfiguration.Retrain), nameof(RunConfiguration.Dense), nameof(RunConfiguration.Evaluation),
        ],
        [typeof(ExperimentConfiguration)] =
        [
            nameof(ExperimentConfiguration.Experiment), nameof(ExperimentConfiguration.Scale),
            nameof(ExperimentConfiguration.Model),
            nameof(ExperimentConfiguration.Width), nameof(ExperimentConfiguration.Epochs), nameof(ExperimentConfiguration.Base),
        ],
        [typeof(DataSettings)] =
        [
            nameof(DataSettings.Name), nameof(DataSettings.TrainSamples), nameof(DataSettings.TestSamples),
            nameof(DataSettings.ValidationSamples), nameof(DataSettings.CropFlip), nameof(DataSettings.Normalize),
        ],
        [typeof(PruningSettings)] =
        [
            nameof(PruningSettings.Ratio), nameof(PruningSettings.Scope), nameof(PruningSettings.MinimumKept),
            nameof(PruningSettings.HiddenLinear), nameof(PruningSettings.Rounds), nameof(PruningSettings.EarlyBird),
        ],
        [typeof(TrainingSettings)] =
        [
            nameof(TrainingSettings.Method), nameof(TrainingSettings.MethodOptions), nameof(TrainingSettings.Epochs),
            nameof(TrainingSettings.BatchSize), nameof(TrainingSettings.LearningRate), nameof(TrainingSettings.WarmupFrom),
            nameof(TrainingSettings.WarmupLength), nameof(TrainingSettings.LearningRateDrops),
            nameof(TrainingSettings.LearningRateFactor),
            nameof(TrainingSettings.Momentum), nameof(TrainingSettings.WeightDecay), nameof(TrainingSettings.DecayAll),
            nameof(TrainingSettings.Ema), nameof(TrainingSettings.EarlyStopping),
        ],
        [typeof(MethodSettings)] =
        [
            nameof(MethodSettings.FgsmRsStep), nameof(MethodSettings.Noise), nameof(MethodSettings.NoiseStep),
            nameof(MethodSettings.Replays),
            nameof(MethodSettings.OuterSteps), nameof(MethodSettings.InnerSteps), nameof(MethodSettings.Beta),
        ],
        [typeof(EarlyStopping)] = [nameof(EarlyStopping.Patience), nameof(EarlyStopping.Robust)],
        [typeof(EvaluationSettings)] =
        [
            nameof(EvaluationSettings.Attack), nameof(EvaluationSettings.ProbeSteps), nameof(EvaluationSettings.ProbeSamples),
            nameof(EvaluationSettings.ProbeEvery), nameof(EvaluationSettings.BatchSize),
        ],
        [typeof(AttackSettings)] =
        [
            nameof(AttackSettings.Epsilon), nameof(AttackSettings.StepSize), nameof(AttackSettings.Steps),
            nameof(AttackSettings.Restarts),
            nameof(AttackSettings.Loss), nameof(AttackSettings.Statistics),
        ],
    };

    private static readonly JsonSerializerOptions Options = OptionsFor(FirstSettings);

    /// <summary>The settings that count, as JSON.</summary>
    /// <param name="settings">A settings record, or an object that holds some.</param>
    public static JsonElement Of(object settings) => JsonSerializer.SerializeToElement(settings, Options);

    /// <summary>SHA-256 of what counts, lower-case hexadecimal: equal for equal settings, however they were given.</summary>
    /// <param name="settings">A settings record, or an object that holds some.</param>
    public static string Hash(object settings) => CanonicalJson.Hash(Of(settings));

    /// <summary>How settings are written, of which some came later.</summary>
    /// <param name="first">Names of the properties that always count, by record; of records that are not in it, all do.</param>
    internal static JsonSerializerOptions OptionsFor(IReadOnlyDictionary<Type, HashSet<string>> first)
    {
        var options = new JsonSerializerOptions(RunJson.Compact)
        {
            TypeInfoResolver = new DefaultJsonTypeInfoResolver().WithAddedModifier(type => LeaveOutDefaults(type, first)),
        };
        options.MakeReadOnly();
        return options;
    }

    private static void LeaveOutDefaults(JsonTypeInfo type, IReadOnlyDictionary<Type, HashSet<string>> first)
    {
        if (type.Kind != JsonTypeInfoKind.Object || !first.TryGetValue(type.Type, out HashSet<string>? always))
            return;
        // Where the data lie does not matter where their content is known.
        if (type.Type == typeof(DataSettings))
        {
            JsonPropertyInfo name = type.Properties.Single(
                property => property.AttributeProvider is PropertyInfo { Name: nameof(DataSettings.Name) });
            name.Get = settings => ((DataSettings)settings).Fingerprint is null ? ((DataSettings)settings).Name : "own";
        }
        object defaults = Activator.CreateInstance(type.Type)!;
        foreach (JsonPropertyInfo property in type.Properties)
        {
            if (property.AttributeProvider is not PropertyInfo declared || always.Contains(declared.Name))
                continue;
            string usual = Spelling(property, declared.GetValue(defaults));
            property.ShouldSerialize = (_, value) => Spelling(property, value) != usual;
        }
    }

    // Lists compare by what they hold, so values are compared as they are written.
    private static string Spelling(JsonPropertyInfo property, object? value) =>
        JsonSerializer.Serialize(value, property.PropertyType, RunJson.Compact);
}
