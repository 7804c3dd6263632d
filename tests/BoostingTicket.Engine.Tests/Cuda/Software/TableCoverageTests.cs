using BoostingTicket.SoftwareCuda;

namespace BoostingTicket.Engine.Tests.Cuda.Software;

/// <summary>What the operation table reaches of the CUDA backend.</summary>
internal sealed class TableCoverageTests
{
    // Mixed types, which tensors of one precision never need; the tests of their launcher run them.
    private static readonly string[] OutsideTheTable =
        ["elementwise_backward_bf16_f32", "elementwise_backward_f32_bf16", "elementwise_forward_bf16_f32"];

    /// <summary>The table launches every kernel that the backend uses on tensors of one precision.</summary>
    [Test]
    public void The_operation_table_launches_every_kernel()
    {
        SoftwareCudaCoverage coverage = TableLaunches.Coverage;
        string report = coverage.Report();
        TestContext.Out.WriteLine(report);
        string file = Path.Combine(TestContext.CurrentContext.WorkDirectory, "cuda-coverage.txt");
        File.WriteAllText(file, report);
        TestContext.AddTestAttachment(file, "Kernels and library calls that the operation table covers");
        Assert.That(
            coverage.Kernels.Where(kernel => kernel.Value == 0).Select(kernel => kernel.Key), Is.EquivalentTo(OutsideTheTable));
        Assert.That(coverage.Calls.Keys, Is.SupersetOf((string[])["cublasGemmEx", "cudnnConvolutionForward"]));
    }
}
