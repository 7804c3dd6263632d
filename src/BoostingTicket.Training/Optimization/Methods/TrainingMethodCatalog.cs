using System.Globalization;

namespace BoostingTicket.Training.Optimization.Methods;

/// <summary>The training methods there are. Adding one is a value of <see cref="TrainingMethod"/>, one line in <see cref="All"/>
/// and the class.</summary>
internal static class TrainingMethodCatalog
{
    /// <summary>Every method.</summary>
    public static IReadOnlyList<ITrainingMethod> All { get; } =
    [
        new NaturalTraining(),
        new FgsmTraining(),
        new FgsmRandomStartTraining(),
        new NoiseFgsmTraining(),
        new FreeTraining(),
        new YopoTraining(),
        new PgdTraining(),
        new TradesTraining(),
    ];

    /// <summary>The method of a setting.</summary>
    public static ITrainingMethod Find(TrainingMethod method) => All.First(entry => entry.Method == method);

    /// <summary>Epochs that a training's log shows: the passes that were asked for, or with replays so many fewer, the last of
    /// them with fewer replays where the passes do not divide.</summary>
    public static int EpochsOf(TrainingSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        int replays = Find(settings.Method).Replays(settings.MethodOptions);
        return (int)(((long)settings.Epochs + replays - 1) / replays);
    }

    /// <summary>How passes and epochs of the log go together where they are not the same; null where they are.</summary>
    public static string? DescribeReplays(TrainingSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        int replays = Find(settings.Method).Replays(settings.MethodOptions);
        int passes = settings.Epochs, epochs = EpochsOf(settings);
        if (replays == 1 || passes == 0)
            return null;
        int last = passes - (epochs - 1) * replays, times = epochs == 1 ? last : replays;
        string rest = epochs > 1 && last < replays ? FormattableString.Invariant($", the last with {last} in a row") : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"each batch is trained on {times} {(times == 1 ? "time" : "times in a row")}: {passes} "
            + $"{(passes == 1 ? "pass" : "passes")} in {epochs} {(epochs == 1 ? "epoch" : "epochs")} of the log{rest}");
    }
}
