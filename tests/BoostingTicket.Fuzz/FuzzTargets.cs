using BoostingTicket.Fuzz.Targets;

namespace BoostingTicket.Fuzz;

/// <summary>All targets, by name.</summary>
internal static class FuzzTargets
{
    /// <summary>Names of all.</summary>
    public static IReadOnlyList<string> Names { get; } = Use(targets => (string[])[.. targets.Select(target => target.Name)]);

    /// <summary>Makes all of them.</summary>
    public static IReadOnlyList<FuzzTarget> Create() =>
    [
        new HeaderTarget(), new SafetensorsTarget(), .. ModelFileTargets.Create(), new CheckpointTarget(),
            .. DataTargets.Create(), new ConfigurationTarget(),
        new StateTarget(), new ResultsTarget(), new CoursesTarget(), new ReportsTarget(), new ExamplesTarget(),
        new EventsTarget(), new CommandsTarget(),
    ];

    /// <summary>Uses all, and removes what they keep.</summary>
    public static T Use<T>(Func<IReadOnlyList<FuzzTarget>, T> use)
    {
        ArgumentNullException.ThrowIfNull(use);
        IReadOnlyList<FuzzTarget> targets = Create();
        try
        {
            return use(targets);
        }
        finally
        {
            foreach (FuzzTarget target in targets)
                target.Dispose();
        }
    }
}
