using BoostingTicket.Runs.Experiments.Paper;
using BoostingTicket.Runs.Experiments.Speed;
using BoostingTicket.Training;

namespace BoostingTicket.Runs.Experiments;

/// <summary>The experiments there are, by name. Adding one is one line in <see cref="All"/> and the class.</summary>
internal static class ExperimentCatalog
{
    /// <summary>Every experiment: the paper's in its order of tables and figures, then the project's own. Table 4 is not an
    /// experiment: <c>models</c> prints it.</summary>
    public static IReadOnlyList<IExperiment> All { get; } =
    [
        new Table1(), new Table2(), new Table3(), new Table5(), new Table6(),
        new Figure1(), new Figure2(), new Figure3(), new Figure4(), new Figure5(), new Figure6(), new Figure7(), new Figure8(),
        new Figure9(), new SpeedExperiment(),
    ];

    /// <summary>The names of all experiments.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(experiment => experiment.Name)];

    /// <summary>The experiment of a name.</summary>
    /// <exception cref="ConfigurationException">There is no such name; the message names the nearest.</exception>
    public static IExperiment Find(string name) =>
        All.FirstOrDefault(experiment => experiment.Name == name) ?? throw NearestName.Unknown("experiment", name, Names);
}
