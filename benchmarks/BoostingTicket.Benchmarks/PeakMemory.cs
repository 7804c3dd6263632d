using System.Diagnostics;
using System.Globalization;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.TorchSharpSupport;

namespace BoostingTicket.Benchmarks;

/// <summary>Memory that a process needs at most for steps of PGD training, of either engine in a process of its own.</summary>
/// <param name="Model">Model.</param>
/// <param name="Batch">Samples.</param>
/// <param name="OursBytes">Bytes of this engine's process.</param>
/// <param name="TheirsBytes">Bytes of TorchSharp's.</param>
/// <param name="Ratio">Theirs over ours.</param>
internal sealed record PeakMemory(string Model, int Batch, long OursBytes, long TheirsBytes, double Ratio)
{
    /// <summary>Option of the process that does one engine's steps and prints its memory.</summary>
    public const string Option = "--memory-of";

    private const string Ours = "ours";
    private const string Theirs = "theirs";

    /// <summary>Measures both engines.</summary>
    public static PeakMemory Measure(BenchmarkModel model, int threads)
    {
        long ours = Start(Ours, model, threads), theirs = Start(Theirs, model, threads);
        return new PeakMemory(model.Name, model.Batch, ours, theirs, (double)theirs / ours);
    }

    /// <summary>Two attack steps and a step of training, twice; then the process's memory.</summary>
    public static long Use(string engine, string name, int threads)
    {
        var work = new Workload(BenchmarkModel.Find(name), sparsity: 0);
        if (engine == Ours)
        {
            using IBackend backend = CpuBackend.Create(threads);
            using var training = new OurTraining(work, backend);
            Twice(training.BeginAttack, training.AttackStep, training.TrainingStep);
        }
        else
        {
            TorchLibrary.Load(threads);
            using var training = new TorchTraining(work, TorchVariant.Shipped);
            Twice(training.BeginAttack, training.AttackStep, training.TrainingStep);
        }
        return Process.GetCurrentProcess().PeakWorkingSet64;
    }

    private static void Twice(Action begin, Action attack, Action train)
    {
        for (int i = 0; i < 2; i++)
        {
            begin();
            attack();
            attack();
            train();
        }
    }

    private static long Start(string engine, BenchmarkModel model, int threads)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, UseShellExecute = false };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(PeakMemory).Assembly.Location);
        foreach (string argument in new[] { Option, engine, "--only", model.Name, "--threads", threads.ToString(
            CultureInfo.InvariantCulture) })
            start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? long.Parse(output, CultureInfo.InvariantCulture)
            : throw new InvalidOperationException(
                $"The process that measures the memory of {engine} for {model.Name} ended with {process.ExitCode}.");
    }
}
