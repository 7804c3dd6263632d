using BoostingTicket.Engine.Cuda.Counting;
using BoostingTicket.Engine.Tests.Cuda.Software;
using BoostingTicket.SoftwareCuda;

namespace BoostingTicket.Engine.Tests.Cuda;

/// <summary>The bytes that a launch is said to move are those that the software device saw its threads read and write.</summary>
internal sealed unsafe class KernelTrafficTests
{
    // What they read depends on values: the most is counted.
    private static readonly string[] AtMost =
    [
        "attack_keep_worst_f32", "data_gather_f32", "parameters_apply_mask_f32", "filters_prepare_f32", "filters_prepare_bf16",
    ];

    [Test]
    public void Every_kernel_moves_the_bytes_that_are_counted()
    {
        var differences = new List<string>();
        foreach (RecordedLaunch launch in RecordedTable.Launches)
        {
            long counted = Count(launch), moved = launch.BytesRead + launch.BytesWritten;
            if (AtMost.Contains(launch.Kernel) ? counted < moved : counted != moved)
            {
                differences.Add(
                    $"{launch.Kernel} {launch.Grid}: {counted} counted, {launch.BytesRead} read, {launch.BytesWritten} written");
            }
        }
        Assert.That(RecordedTable.Launches, Is.Not.Empty);
        Assert.That(differences, Is.Empty, string.Join('\n', differences));
    }

    [Test]
    public void An_unknown_kernel_is_refused() =>
        Assert.That(
            () => KernelTraffic.Bytes("norm_sideways_f32", default, new KernelTraffic.Parameters(null)),
            Throws.ArgumentException.With.Message.Contains("norm_sideways_f32"));

    private static long Count(RecordedLaunch launch)
    {
        ulong* values = stackalloc ulong[launch.Parameters.Count];
        void** addresses = stackalloc void*[launch.Parameters.Count];
        for (int i = 0; i < launch.Parameters.Count; i++)
        {
            // Any address but 0 will do for a pointer.
            values[i] = launch.Parameters[i].Array is null ? launch.Parameters[i].Value : 1;
            addresses[i] = values + i;
        }
        return KernelTraffic.Bytes(launch.Kernel, launch.Grid, new KernelTraffic.Parameters(addresses, _ => List(launch)));
    }

    // Where a list is in memory, it is what the first parameter points to.
    private static byte[] List(RecordedLaunch launch)
    {
        RecordedParameter parameter = launch.Parameters[0];
        return launch.Arrays[parameter.Array!.Value].Before[(int)parameter.Value..];
    }
}
