using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing.Operations;
using BoostingTicket.SoftwareCuda;

namespace BoostingTicket.Engine.Tests.Cuda.Software;

/// <summary>What the operation table reaches of the CUDA backend.</summary>
public sealed class TableCoverageTests
{
    // Mixed types, which tensors of one precision never need; the tests of their launcher run them.
    private static readonly string[] OutsideTheTable =
        ["elementwise_backward_bf16_f32", "elementwise_backward_f32_bf16", "elementwise_forward_bf16_f32"];

    /// <summary>The table launches every kernel that the backend uses on tensors of one precision.</summary>
    [Test]
    public void The_operation_table_launches_every_kernel()
    {
        var coverage = new SoftwareCudaCoverage();
        foreach (Precision precision in (Precision[])[Precision.Float32, Precision.BFloat16])
        {
            var device = new SoftwareCudaDevice(new SoftwareCudaOptions { MemoryBytes = 128 << 20, Coverage = coverage });
            using var backend = SoftwareMachine.Open(new CudaOptions(Precision: precision, Deterministic: true), device);
            foreach (OperationGroup group in OperationTable.Groups)
            {
                // The many convolutions differ in what the library does: one of a kind launches all that is around it.
                int cases = group.Name.StartsWith("Convolution", StringComparison.Ordinal) ? 1 : int.MaxValue;
                foreach (OperationCase operation in group.Cases.Take(cases))
                    operation.Run(backend, precision);
            }
        }
        string report = coverage.Report();
        TestContext.Out.WriteLine(report);
        string file = Path.Combine(TestContext.CurrentContext.WorkDirectory, "cuda-coverage.txt");
        File.WriteAllText(file, report);
        TestContext.AddTestAttachment(file, "Kernels and library calls that the operation table covers");
        Assert.That(coverage.Kernels.Where(kernel => kernel.Value == 0).Select(kernel => kernel.Key), Is.EquivalentTo(OutsideTheTable));
        Assert.That(coverage.Calls.Keys, Is.SupersetOf((string[])["cublasGemmEx", "cudnnConvolutionForward"]));
    }
}
