using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using BoostingTicket.Benchmarks;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Testing.Operations;
using BoostingTicket.TorchSharpSupport;
using BoostingTicket.Training;

// Compares this engine with TorchSharp in one process. With --ratio the short form; otherwise BenchmarkDotNet, with its options.
const double BusyLoad = 0.5;
const string Usage = """
    usage: --robustness FOLDER [--precision float32|bfloat16] [--data FOLDER] [--only TEXT] [--threads N]
                   [--spin]
           --ratio [--only TEXT] [--repetitions N] [--budget SECONDS] [--whole] [--operations] [--no-memory] [--default-allocator]
                   [--threads N] [--busy] [--json]
           or options of BenchmarkDotNet, such as --filter '*AttackStep*' or --list flat (all of it takes hours)

      --robustness FOLDER  train the full networks of the 'experiment speed' in this folder in TorchSharp, and write their
                         points beside the experiment's; goes on where it was interrupted
      --precision P      float32 (by default) or bfloat16
      --data FOLDER      where data sets are
      --spin             let threads of libtorch spin while they wait, as they do by default, instead of sleeping
      --only TEXT        models (with --operations: shapes) whose name contains the text
      --repetitions N    repetitions at most, by default 9
      --budget SECONDS   seconds for all models together, by default 200; each is repeated three times at least
      --whole            time steps of PGD-10 training as a whole instead of composing them of their parts: slow
      --operations       convolutions instead of networks
      --busy             print ratios though other programs use the processors
      --no-memory        do not measure the memory of both engines in processes of their own
      --default-allocator  leave glibc's allocator as it is, which gives freed tensors back to the system: TorchSharp is slower
    """;
if (args.Contains("--help") || args.Contains("-h"))
{
    Console.WriteLine(Usage);
    return 0;
}
int threads = (int)Number("--threads", BenchmarkThreads.Count);
if (Text(PeakMemory.Option) is { } engine)
{
    Console.WriteLine(PeakMemory.Use(engine, Text("--only")!, threads));
    return 0;
}
bool keepsFreed = !args.Contains("--default-allocator");
if (keepsFreed)
    TorchAllocator.KeepFreedMemory();
if (Text("--robustness") is { } experiment)
    return Train(experiment);
if (!args.Contains("--ratio"))
{
    // Both engines have to live in this process, whose copy of TorchSharp's library is the one that loads.
    Job job = Job.ShortRun.WithToolchain(new InProcessEmitToolchain(TimeSpan.FromHours(1), logOutput: false));
    BenchmarkSwitcher.FromAssembly(typeof(NetworkBenchmark).Assembly).Run(args, DefaultConfig.Instance.AddJob(job));
    return 0;
}

string only = Text("--only") ?? "";
int repetitions = (int)Number("--repetitions", 9);
double budget = Number("--budget", 200);
bool json = args.Contains("--json");
var rows = new List<RatioRow>();
var variants = new List<VariantRow>();
var memory = new List<PeakMemory>();
TorchLibrary.Load(threads);
using IBackend backend = CpuBackend.Create(threads);
using IBackend shorter = CpuBackend.CreateWithShortAttacks(threads, out string? lacking);
double? load = LoadAverage();
Console.Error.WriteLine(string.Create(
    CultureInfo.InvariantCulture,
    $"{backend.Device.Description}, against TorchSharp on {threads} threads; load of the machine before: {load:F1}"));
if (load > BusyLoad)
{
    // TorchSharp's threads wait for one another and suffer more.
    bool asked = args.Contains("--busy");
    Console.Error.WriteLine(asked
        ? "Warning: the machine is busy, and ratios are too high."
        : "The machine is busy, so that ratios would be too high; wait until it is quiet, or give --busy to see them all the "
            + "same.");
    if (!asked)
        return 2;
}
long started = Stopwatch.GetTimestamp();
try
{
    if (args.Contains("--operations"))
        TimeOperations();
    else
        TimeNetworks();
}
catch (InvalidOperationException disagreement)
{
    Console.Error.WriteLine(disagreement.Message);
    return 1;
}
if (json)
    Console.WriteLine(JsonSerializer.Serialize(
        new
        {
            device = backend.Device.Description,
            threads,
            keepsFreedMemory = keepsFreed,
            loadBefore = load,
            seconds = Stopwatch.GetElapsedTime(started).TotalSeconds,
            variants,
            rows,
            summary = Summary(),
            memory,
        },
        new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true }));
else
    foreach (RatioSummary line in Summary())
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{line.Work}, {line.Sparsity * 100:0} % pruned, {line.OursPrecision} against TorchSharp's fastest {line.Opponent}: "
            + $"ratio at least {line.Least:F2}, geometric mean "
            + $"{line.GeometricMean:F2} of {line.Models}, of the fastest repetitions {line.FastestGeometricMean:F2}"));
return 0;

int Train(string folder)
{
    string precision = Text("--precision") ?? "float32";
    if (TorchVariant.All.All(variant => variant.Precision != precision))
    {
        Console.Error.WriteLine($"--precision is '{precision}'; give float32 or bfloat16.");
        return 2;
    }
    // Threads of libtorch spin while they wait for each other. Beside other work, that would be most of the processor seconds.
    if (!args.Contains("--spin"))
        NativeEnvironment.Set("OMP_WAIT_POLICY", "passive");
    TorchLibrary.Load(threads);
    using IBackend processor = CpuBackend.Create(threads);
    try
    {
        new TorchRobustness(
            folder, Text("--data"), new TorchVariant(ChannelsLast: true, Folded: true, precision == "bfloat16"), processor).Run(
            Text("--only") ?? "", Console.Error.WriteLine);
        return 0;
    }
    catch (BoostingTicketException error)
    {
        Console.Error.WriteLine(error.Message);
        return error.ExitCode;
    }
    catch (InvalidOperationException disagreement)
    {
        Console.Error.WriteLine(disagreement.Message);
        return 1;
    }
}

void TimeNetworks()
{
    List<BenchmarkModel> models = [.. BenchmarkModel.All.Where(model => model.Name.Contains(only, StringComparison.Ordinal))];
    // Each model gets of what is left in proportion to its operations, of which small networks reach fewer a second.
    double[] weights = [.. models.Select(model => Math.Sqrt((double)new Workload(model, 0).Graph.MultiplyAdds * model.Batch))];
    for (int i = 0; i < models.Count; i++)
    {
        double left = budget - Stopwatch.GetElapsedTime(started).TotalSeconds;
        Console.Error.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(started).TotalSeconds,5:F0} s: {models[i].Name}"));
        (IReadOnlyList<TorchVariant> fastest, IReadOnlyList<VariantRow> timed) = VariantChoice.Find(models[i], backend);
        foreach (VariantRow variant in timed)
            AddVariant(variant);
        var ratios = new NetworkRatios(models[i], backend, lacking is null ? shorter : null, args.Contains("--whole"));
        foreach (RatioRow row in ratios.Run(fastest, repetitions, left * weights[i] / weights[i..].Sum()))
            Add(row);
    }
    if (args.Contains("--no-memory"))
        return;
    foreach (BenchmarkModel model in models)
    {
        var peak = PeakMemory.Measure(model, threads);
        memory.Add(peak);
        if (!json)
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{"peak memory",-28} {peak.Model,-14} ours {peak.OursBytes / 1048576.0,7:F0} MiB  theirs "
                + $"{peak.TheirsBytes / 1048576.0,7:F0} MiB  ratio {peak.Ratio:F2}"));
    }
}

void TimeOperations()
{
    foreach (string shape in LayerShapes.All.Keys.Where(name => name.Contains(only, StringComparison.Ordinal)))
    {
        using var pair = new ConvolutionPair(shape, backend);
        double disagreement = pair.RequireAgreement();
        foreach ((string work, TimedWork ours, TimedWork theirs) in pair.Works())
        {
            ours.Prepare();
            theirs.Prepare();
            for (int i = 0; i < repetitions; i++)
            {
                ours.Repeat();
                theirs.Repeat();
            }
            Add(RatioRow.Of(work, shape, ConvolutionPair.Batch, 0, ours.Seconds, theirs.Seconds, pair.Operations, disagreement));
        }
    }
}

void AddVariant(VariantRow row)
{
    variants.Add(row);
    if (!json)
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{"TorchSharp, PGD-10 step",-28} {row.Model,-14} {row.Variant,-40} {row.PgdSeconds * 1e3,9:F1} ms"
            + $"{(row.IsFastest ? "  (the fastest)" : "")}"));
}

void Add(RatioRow row)
{
    rows.Add(row);
    if (!json)
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{row.Work,-28} {row.Model,-14} {row.Sparsity * 100,2:0} %  ours {row.OursPrecision} "
            + $"{row.OursSeconds * 1e3,9:F2} ms "
            + $"({row.OursGigaflops,6:F0} Gop/s)  theirs "
            + $"{row.TheirsSeconds * 1e3,9:F2} ms ({row.TheirsGigaflops,5:F0} Gop/s)  ratio {row.Ratio:F2} ({row.LowestRatio:F2} "
                + $"to {row.HighestRatio:F2}), of the fastest {row.FastestRatio:F2}"));
}

List<RatioSummary> Summary() => [.. rows.GroupBy(
    row => (row.Work, row.Sparsity, row.OursPrecision, Opponent: row.Opponent.Split(',')[0])).Select(group => new RatioSummary(
    group.Key.Work, group.Key.Sparsity, group.Key.OursPrecision, group.Key.Opponent, group.Count(), group.Min(row => row.Ratio),
    Statistics.GeometricMean(group.Select(row => row.Ratio)),
    Statistics.GeometricMean(group.Select(row => row.FastestRatio))))];

static double? LoadAverage() => File.Exists("/proc/loadavg")
    ? double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture)
    : null;

string? Text(string option)
{
    int index = Array.IndexOf(args, option);
    return index >= 0 && index + 1 < args.Length ? args[index + 1] : null;
}

double Number(string option, double usual) =>
    Text(option) is { } text ? double.Parse(text, CultureInfo.InvariantCulture) : usual;
