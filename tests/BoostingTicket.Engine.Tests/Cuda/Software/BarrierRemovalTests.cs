using System.Text.RegularExpressions;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Cuda.Kernels;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.SoftwareCuda;

namespace BoostingTicket.Engine.Tests.Cuda.Software;

/// <summary>Every barrier of every committed kernel, removed alone, is missed: the race detector reports the kernel on a case of
/// the operation table. What is not missed is listed with a proof that it may go.</summary>
internal sealed partial class BarrierRemovalTests
{
    /// <summary>Barriers whose removal changes nothing, with the proof.</summary>
    private static readonly Dictionary<string, Harmless> Proven = new(StringComparer.Ordinal)
    {
        ["channel_sums_finish"] = new(7, [6], LastRound),
        ["norm_forward_finish"] = new(7, [6], LastRound),
    };

    // Of sum_final_rows in channels.cuh. In norm_backward_finish another thread reads the word, so that the barrier is needed
    // there.
    private const string LastRound =
        "the last round leaves word t of shared memory to thread t < 4, and behind the barrier the compiled kernel reads that "
        + "word in a branch that only thread t itself takes";

    // Cases for what is expected to pass them all.
    private const int CasesForHarmless = 8;

    // A kernel's barriers in order; the ones without which it is right as well.
    private sealed record Harmless(int Barriers, int[] Ordinals, string Proof);

    /// <summary>A kernel and the lines of its barriers within its family's PTX, from 0.</summary>
    public sealed record Barriers(string Family, string Kernel, IReadOnlyList<int> Lines)
    {
        /// <inheritdoc/>
        public override string ToString() => Kernel;
    }

    public static IEnumerable<Barriers> Kernels => KernelLibrary.Families.Order(StringComparer.Ordinal).SelectMany(Find);

    [TestCaseSource(nameof(Kernels))]
    public void Every_barrier_is_missed(Barriers kernel)
    {
        IReadOnlyList<CaseLaunches> cases = TableLaunches.Of(kernel.Kernel);
        Assert.That(cases, Is.Not.Empty, "No case of the operation table launches the kernel.");
        Harmless? proven = Proven.GetValueOrDefault(kernel.Kernel);
        Assert.That(
            proven?.Barriers ?? kernel.Lines.Count, Is.EqualTo(kernel.Lines.Count),
            "The kernel has other barriers than when some were proven harmless: prove them again.");
        using (Assert.EnterMultipleScope())
        {
            for (int ordinal = 0; ordinal < kernel.Lines.Count; ordinal++)
            {
                bool harmless = proven is not null && proven.Ordinals.Contains(ordinal);
                int line = kernel.Lines[ordinal];
                string name = $"Barrier {ordinal} of {kernel.Lines.Count} ({kernel.Family}.ptx, line {line + 1})";
                string? report = ReportWithout(kernel, line, harmless ? cases.Take(CasesForHarmless) : cases);
                if (harmless)
                    Assert.That(report, Is.Null, $"{name} is listed as harmless: {proven!.Proof}");
                else
                    Assert.That(report, Does.StartWith($"Kernel {kernel.Kernel}: missing barrier: "), $"{name} was removed.");
                TestContext.Out.WriteLine($"{name}: {report ?? "not missed"}");
            }
        }
    }

    [Test]
    public void What_is_proven_harmless_exists() =>
        Assert.That(Kernels.Select(kernel => kernel.Kernel), Is.SupersetOf(Proven.Keys));

    /// <summary>The detector takes every barrier for one of the whole block, and the test above looks for nothing else.</summary>
    [Test]
    public void All_barriers_are_of_the_whole_block()
    {
        using (Assert.EnterMultipleScope())
        {
            foreach (string family in KernelLibrary.Families)
            {
                string[] others = [.. Lines(family).Where(line => AnyBarrier().IsMatch(line) && !Barrier().IsMatch(line))];
                Assert.That(others, Is.Empty, family);
            }
        }
    }

    // The first report of the cases, the cheapest first; null when all pass.
    private static string? ReportWithout(Barriers kernel, int line, IEnumerable<CaseLaunches> cases)
    {
        string[] lines = Lines(kernel.Family);
        string original = string.Join('\n', lines);
        lines[line] = "";
        string mutant = string.Join('\n', lines);
        foreach (IGrouping<Precision, CaseLaunches> group in cases.GroupBy(one => one.Precision))
        {
            (SoftwareCudaDevice _, CudaBackend backend) =
                TableLaunches.Open(group.Key, editPtx: text => text == original ? mutant : text);
            using CudaBackend opened = backend;
            try
            {
                foreach (CaseLaunches one in group)
                    one.Case.Run(backend, one.Precision);
            }
            catch (SoftwareCudaException defect)
            {
                return defect.Message;
            }
        }
        return null;
    }

    private static string[] Lines(string family) =>
        System.Text.Encoding.ASCII.GetString(KernelLibrary.Ptx(family)[..^1]).Split('\n');

    private static List<Barriers> Find(string family)
    {
        string[] lines = Lines(family);
        var found = new List<Barriers>();
        string? kernel = null;
        for (int i = 0; i < lines.Length; i++)
        {
            if (Function().Match(lines[i]) is { Success: true } function)
                kernel = function.Groups[1].Value;
            if (!Barrier().IsMatch(lines[i]))
                continue;
            if (found.Count == 0 || found[^1].Kernel != kernel)
                found.Add(new Barriers(family, kernel!, new List<int>()));
            ((List<int>)found[^1].Lines).Add(i);
        }
        return found;
    }

    [GeneratedRegex(@"^\s*bar\.sync\s+0;\s*$")]
    private static partial Regex Barrier();

    [GeneratedRegex(@"^[^/]*\b(bar|barrier)\.(?!warp)")]
    private static partial Regex AnyBarrier();

    [GeneratedRegex(@"\.(?:entry|func)\b.*?(\w+)\s*\(")]
    private static partial Regex Function();
}
