namespace BoostingTicket.Training.Optimization.Methods;

/// <summary>The training methods there are. Adding one is a value of <see cref="TrainingMethod"/>, one line in <see cref="All"/> and the
/// class.</summary>
public static class TrainingMethodCatalog
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
}
