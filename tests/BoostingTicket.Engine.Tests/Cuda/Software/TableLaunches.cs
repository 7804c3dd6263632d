using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing.Operations;
using BoostingTicket.SoftwareCuda;

namespace BoostingTicket.Engine.Tests.Cuda.Software;

/// <summary>What a case of the operation table launched.</summary>
/// <param name="Case">The case.</param>
/// <param name="Precision">Of the backend.</param>
/// <param name="Kernels">Kernels that ran.</param>
/// <param name="Instructions">Instructions that their threads executed.</param>
internal sealed record CaseLaunches(OperationCase Case, Precision Precision, IReadOnlySet<string> Kernels, long Instructions);

/// <summary>The operation table on the software device, once for all tests that ask what it reaches.</summary>
internal static class TableLaunches
{
    private static readonly Lazy<(SoftwareCudaCoverage Coverage, IReadOnlyList<CaseLaunches> Cases)> Recorded = new(Record);

    /// <summary>What the whole table covered, in float32 and bfloat16.</summary>
    public static SoftwareCudaCoverage Coverage => Recorded.Value.Coverage;

    /// <summary>Every case that ran.</summary>
    public static IReadOnlyList<CaseLaunches> Cases => Recorded.Value.Cases;

    /// <summary>The cases that launched a kernel, the cheapest first.</summary>
    public static IReadOnlyList<CaseLaunches> Of(string kernel) =>
        [.. Cases.Where(one => one.Kernels.Contains(kernel)).OrderBy(one => one.Instructions)];

    /// <summary>Opens a backend as the cases were run on.</summary>
    /// <param name="precision">Number format.</param>
    /// <param name="coverage">Where launches are counted; null for nowhere.</param>
    /// <param name="editPtx">Changes a family's PTX before it is loaded.</param>
    /// <param name="recorder">Takes down launches; null for nobody.</param>
    public static (SoftwareCudaDevice Device, CudaBackend Backend) Open(
        Precision precision, SoftwareCudaCoverage? coverage = null, Func<string, string>? editPtx = null,
        ILaunchRecorder? recorder = null)
    {
        var device = new SoftwareCudaDevice(
            new SoftwareCudaOptions { MemoryBytes = 128 << 20, Coverage = coverage, EditPtx = editPtx, Recorder = recorder });
        return (device, SoftwareMachine.Open(new CudaOptions(Precision: precision, Deterministic: true), device));
    }

    private static (SoftwareCudaCoverage Coverage, IReadOnlyList<CaseLaunches> Cases) Record()
    {
        var coverage = new SoftwareCudaCoverage();
        var cases = new List<CaseLaunches>();
        foreach (Precision precision in (Precision[])[Precision.Float32, Precision.BFloat16])
        {
            (SoftwareCudaDevice device, CudaBackend backend) = Open(precision, coverage);
            using CudaBackend opened = backend;
            foreach (OperationGroup group in OperationTable.Groups)
            {
                // The many convolutions differ in what the library does: one of a kind launches all that is around it.
                int count = group.Name.StartsWith("Convolution", StringComparison.Ordinal) ? 1 : int.MaxValue;
                foreach (OperationCase operation in group.Cases.Take(count))
                {
                    IReadOnlyDictionary<string, long> before = coverage.Kernels;
                    long instructions = device.ThreadInstructions;
                    operation.Run(backend, precision);
                    IEnumerable<string> launched =
                        from kernel in coverage.Kernels
                        where kernel.Value > before.GetValueOrDefault(kernel.Key)
                        select kernel.Key;
                    cases.Add(new CaseLaunches(
                        operation, precision, launched.ToHashSet(), device.ThreadInstructions - instructions));
                }
            }
        }
        return (coverage, cases);
    }
}
