using BoostingTicket.Runs.Stages;

namespace BoostingTicket.Runs.Reporting;

/// <summary>Tells that trainings whose times are compared ran on different machines.</summary>
internal static class DifferentMachines
{
    private const string Unknown = "a machine that was not written down (by an earlier version)";

    /// <summary>About several trainings, in a few sentences.</summary>
    /// <param name="trainings">What they are called, and their machines in order of time; null where nobody knows.</param>
    /// <returns>Null where all ran on one machine, and where nothing is known of any.</returns>
    public static string? Tell(IEnumerable<(string Name, IReadOnlyList<TrainingMachine>? Machines)> trainings)
    {
        ArgumentNullException.ThrowIfNull(trainings);
        List<(string Name, IReadOnlyList<TrainingMachine>? Machines)> all = [.. trainings];
        List<IGrouping<string, string>> groups =
            [.. all.GroupBy(training => Name(training.Machines), training => training.Name).OrderBy(group => group.Count())];
        if (groups.Count < 2 && all.All(training => training.Machines is null or { Count: 1 }))
            return null;
        IEnumerable<string> places = groups.Select((group, index) =>
        {
            string names = index < groups.Count - 1 ? string.Join("; ", group) : index == 0 ? "all" : "all others";
            return $"On {group.Key}: {names}.";
        });
        return $"The times that are compared are of different machines, so their ratios say as much of machines as of trainings. "
            + string.Join(' ', places);
    }

    /// <summary>The machines of a training for people.</summary>
    /// <param name="machines">In order of time; null where nobody knows.</param>
    public static string Name(IReadOnlyList<TrainingMachine>? machines) =>
        machines is null ? Unknown : string.Join(", then on ", machines);
}
