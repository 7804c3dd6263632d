using System.Runtime.InteropServices;
using BoostingTicket.Engine.Tests.Cuda.Software;
using BoostingTicket.SoftwareCuda;

namespace BoostingTicket.Engine.Tests.Cuda.Host;

/// <summary>The kernels as C++ of this machine, each thread of a block a thread of the operating system: ThreadSanitizer finds no
/// race, and results are the software device's, bit for bit but for library functions. Launches are those of <see
/// cref="RecordedTable"/>.</summary>
internal sealed class HostKernelTests
{
    // Its logarithm, sine and cosine are library functions, each within 2 units in the last place on either side.
    private const string NormalStart = "attack_normal_start_f32";
    private const double LibraryBound = 4 / (double)(1 << 23);

    private HostKernels _kernels = null!;
    private IReadOnlyList<RecordedLaunch> _launches = null!;

    [OneTimeSetUp]
    public void Compile()
    {
        _kernels = HostKernels.Compile();
        _launches = RecordedTable.Launches;
    }

    [OneTimeTearDown]
    public void Delete() => _kernels?.Dispose();

    [Test]
    public void Nothing_races_and_results_are_the_software_devices()
    {
        HostKernels.Outcome outcome = _kernels.Run(_launches);
        Assert.That(outcome.Report, Is.Empty);
        var differences = new List<string>();
        for (int i = 0; i < _launches.Count; i++)
        {
            for (int j = 0; j < _launches[i].Arrays.Count; j++)
            {
                if (Difference(_launches[i].Kernel, _launches[i].Arrays[j].After, outcome.Results[i][j]) is { } difference)
                    differences.Add($"{_launches[i].Kernel} {_launches[i].Grid}, array {j}: {difference}");
            }
        }
        int kernels = _launches.Select(one => one.Kernel).Distinct().Count();
        TestContext.Out.WriteLine($"{_launches.Count} launches of {kernels} kernels");
        Assert.That(differences, Is.Empty, string.Join('\n', differences));
    }

    /// <summary>The check can fail.</summary>
    [TestCase("attack_keep_worst_f32")]
    [TestCase("channel_sums_f32")]
    [TestCase("filters_prepare_bf16")]
    public void Barriers_that_are_removed_are_missed(string kernel)
    {
        RecordedLaunch[] launches = [.. _launches.Where(launch => launch.Kernel == kernel)];
        Assert.That(launches, Is.Not.Empty);
        string report = _kernels.Run(launches, withoutBarriers: kernel).Report;
        Assert.That(report, Does.Contain("ThreadSanitizer: data race").And.Contain(kernel));
    }

    private static string? Difference(string kernel, byte[] expected, byte[] actual)
    {
        ReadOnlySpan<float> wanted = MemoryMarshal.Cast<byte, float>(expected), found = MemoryMarshal.Cast<byte, float>(actual);
        double bound = kernel == NormalStart ? LibraryBound : 0;
        for (int i = 0; i < wanted.Length; i++)
        {
            uint bits = BitConverter.SingleToUInt32Bits(wanted[i]), others = BitConverter.SingleToUInt32Bits(found[i]);
            if (bits != others && !(Math.Abs((double)wanted[i] - found[i]) <= bound * Math.Abs(wanted[i])))
                return $"word {i} of {wanted.Length} is {others:x8} ({found[i]:R}) and not {bits:x8} ({wanted[i]:R})";
        }
        int rest = expected.Length % sizeof(float);
        bool same = expected.Length == actual.Length && expected.AsSpan()[^rest..].SequenceEqual(actual.AsSpan()[^rest..]);
        return same ? null : "the end differs";
    }
}
