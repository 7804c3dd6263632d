using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.SoftwareCuda;

namespace BoostingTicket.Engine.Tests.Cuda.Software;

/// <summary>Launches of two cases of the operation table for each kernel, a small and a larger one, with what they read and
/// wrote.</summary>
internal static class RecordedTable
{
    // Instructions that the threads of the larger case execute at most: threads of a host wake slowly.
    private const long MostInstructions = 150_000;

    private static readonly Lazy<List<RecordedLaunch>> Recorded = new(Record);

    /// <summary>The launches.</summary>
    public static IReadOnlyList<RecordedLaunch> Launches => Recorded.Value;

    private static List<RecordedLaunch> Record()
    {
        var wanted = new Dictionary<CaseLaunches, HashSet<string>>();
        foreach (string kernel in TableLaunches.Coverage.Kernels.Where(one => one.Value > 0).Select(one => one.Key))
        {
            IReadOnlyList<CaseLaunches> cases = TableLaunches.Of(kernel);
            CaseLaunches larger = cases.LastOrDefault(one => one.Instructions < MostInstructions) ?? cases[0];
            foreach (CaseLaunches one in new HashSet<CaseLaunches> { cases[0], larger })
            {
                if (!wanted.TryGetValue(one, out HashSet<string>? kernels))
                    wanted[one] = kernels = [];
                kernels.Add(kernel);
            }
        }
        var recorder = new Recorder();
        foreach (IGrouping<Precision, CaseLaunches> group in wanted.Keys.GroupBy(one => one.Precision))
        {
            (SoftwareCudaDevice _, CudaBackend backend) = TableLaunches.Open(group.Key, recorder: recorder);
            using CudaBackend opened = backend;
            foreach (CaseLaunches one in group)
            {
                recorder.Wanted = wanted[one];
                one.Case.Run(backend, one.Precision);
            }
        }
        return recorder.Launches;
    }

    // The first launch of each wanted kernel in a case.
    private sealed class Recorder : ILaunchRecorder
    {
        public HashSet<string> Wanted { get; set; } = [];

        public List<RecordedLaunch> Launches { get; } = [];

        public bool Wants(string kernel, in LaunchGrid grid) => Wanted.Contains(kernel);

        public void Add(RecordedLaunch launch)
        {
            Wanted.Remove(launch.Kernel);
            Launches.Add(launch);
        }
    }
}
