using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Testing.Operations;

namespace BoostingTicket.Engine.Tests.Cpu.BFloat16;

/// <summary>The operation table's convolutions with attacks in bfloat16, within <see cref="Tolerance.ShortProducts"/>. The other
/// operations are those of float32.</summary>
[TestFixture(Products.Emulated, 2)]
[TestFixture(Products.Vectors, 2)]
[TestFixture(Products.Tiles, 1)]
[TestFixture(Products.Tiles, 2)]
internal sealed class BFloat16OperationTableTests(Products products, int threads)
{
    private IBackend? _backend;

    private static IEnumerable<OperationGroup> Groups =>
        OperationTable.Groups.Where(group => group.Cases.Any(OperationRunner.UsesAttackFilter));

    [OneTimeSetUp]
    public void Open() => _backend = TestedKernels.Open(products, threads);

    [OneTimeTearDown]
    public void Close() => _backend?.Dispose();

    [TestCaseSource(nameof(Groups))]
    public void Agrees_with_the_reference(OperationGroup group)
    {
        IReadOnlyList<string> failures = OperationRunner.Failures(group, _backend!);
        Assert.That(failures, Is.Empty, string.Join('\n', failures));
    }
}
