using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Testing;

namespace BoostingTicket.Training.Tests.Golden;

/// <summary>The backends that whole networks are tested on.</summary>
internal static class TestBackends
{
    private const string Reference = "reference";

    /// <summary>Names of the backends that run on this machine.</summary>
    public static IEnumerable<string> Names => [Reference];

    /// <summary>Makes the backend of a name.</summary>
    public static IBackend Create(string name) => name switch
    {
        Reference => new ReferenceBackend(),
        _ => throw new ArgumentException($"There is no backend {name}.", nameof(name)),
    };
}
