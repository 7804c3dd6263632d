using System.Globalization;
using System.Text.Json;
using BoostingTicket.Benchmarks;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.TorchSharpSupport;

// Compares this engine with TorchSharp in one process: --ratio [--threads N] [--repetitions N] [--only TEXT] [--json].
int threads = Number("--threads", Environment.ProcessorCount), repetitions = Number("--repetitions", 7);
string only = Text("--only") ?? "";
bool json = args.Contains("--json");
if (!args.Contains("--ratio"))
{
    Console.Error.WriteLine("usage: --ratio [--threads N] [--repetitions N] [--only TEXT] [--json]");
    return 2;
}
TorchLibrary.Load(threads);
using IBackend backend = CpuBackend.Create(threads);
Console.Error.WriteLine($"{backend.Device.Description}, against TorchSharp on {threads} threads, {repetitions} pairs a row");
var rows = new List<object>();
foreach ((string model, int batch, Func<TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>> create)
    in NetworkPair.Models)
{
    if (!model.Contains(only, StringComparison.Ordinal))
        continue;
    using var pair = new NetworkPair(model, batch, backend, create());
    using PairedWork work = new AttackStepWork(pair);
    double disagreement = work.Disagreement();
    // A rounding error that moves an activation across zero switches a ReLU, so gradients of deep networks differ by more than
    // rounding: by up to some parts in a hundred, squared here.
    if (!(disagreement < 1e-3))
    {
        Console.Error.WriteLine($"{work.Name}: the engines disagree ({disagreement:E2}); not timed.");
        return 1;
    }
    PairedTimes times = work.Time(repetitions);
    double ours = PairedTimes.Median(times.Ours), theirs = PairedTimes.Median(times.Theirs);
    rows.Add(new
    {
        work = work.Name, batch, oursSeconds = ours, theirsSeconds = theirs, ratio = PairedTimes.Median(times.Ratios),
        lowestRatio = times.Ratios[0], highestRatio = times.Ratios[^1], oursGigaflops = work.Arithmetic / ours / 1e9,
        theirsGigaflops = work.Arithmetic / theirs / 1e9, disagreement,
    });
    if (!json)
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{work.Name,-28} ours {ours * 1e3,8:F1} ms ({work.Arithmetic / ours / 1e9,5:F0} GF/s)  theirs {theirs * 1e3,8:F1} ms "
            + $"({work.Arithmetic / theirs / 1e9,5:F0} GF/s)  ratio {PairedTimes.Median(times.Ratios):F2} "
            + $"({times.Ratios[0]:F2} to {times.Ratios[^1]:F2})"));
}
if (json)
    Console.WriteLine(JsonSerializer.Serialize(rows));
return 0;

string? Text(string option)
{
    int index = Array.IndexOf(args, option);
    return index >= 0 && index + 1 < args.Length ? args[index + 1] : null;
}

int Number(string option, int usual) =>
    Text(option) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : usual;
