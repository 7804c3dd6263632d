using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Testing.Operations;

/// <summary>The operation table as a test fixture. A thin subclass for each device opens the backend; all run the same
/// cases.</summary>
internal abstract class OperationTableTests
{
    private IBackend? _backend;

    /// <summary>The table.</summary>
    public static IReadOnlyList<OperationGroup> Groups => OperationTable.Groups;

    /// <summary>Opens the backend under test; skips the fixture, with the reason, where the device is not at hand.</summary>
    protected abstract IBackend OpenBackend();

    /// <summary>Opens the backend once for all cases.</summary>
    [OneTimeSetUp]
    public void Open() => _backend = OpenBackend();

    /// <summary>Closes the backend.</summary>
    [OneTimeTearDown]
    public void Close() => _backend?.Dispose();

    /// <summary>The backend computes what the reference computes and touches nothing else.</summary>
    [TestCaseSource(nameof(Groups))]
    public void Agrees_with_the_reference(OperationGroup group)
    {
        IReadOnlyList<string> failures = OperationRunner.Failures(group, _backend!);
        Assert.That(failures, Is.Empty, string.Join('\n', failures));
    }
}
