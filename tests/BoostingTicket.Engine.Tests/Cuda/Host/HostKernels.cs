using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Tests.Cuda.Kernels;
using BoostingTicket.SoftwareCuda;

namespace BoostingTicket.Engine.Tests.Cuda.Host;

/// <summary>The kernels' sources compiled as C++ for this machine with ThreadSanitizer (tests/HostKernels), and launches run with
/// them.</summary>
internal sealed partial class HostKernels : IDisposable
{
    private const int Patience = 120_000;
    private const int Reported = 66;

    private readonly string _folder;

    private HostKernels(string folder) => _folder = folder;

    private string Library => Inside("kernels.so");

    private string Copy => Inside("copy.so");

    private string Runner => Inside("runner");

    /// <summary>What a run said.</summary>
    /// <param name="Report">ThreadSanitizer's report; empty when it found nothing.</param>
    /// <param name="Results">The arrays of each launch afterwards, in order.</param>
    public sealed record Outcome(string Report, IReadOnlyList<IReadOnlyList<byte[]>> Results);

    /// <summary>Compiles everything; ignores the calling test, with the reason, where that is impossible.</summary>
    public static HostKernels Compile()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture is not (Architecture.X64 or Architecture.Arm64))
            Assert.Ignore("Needs Linux on x86-64 or Arm64: the kernels run as host code with its threads.");
        if (KernelFiles.Repository is null)
            Assert.Ignore("Needs the repository: the kernels are compiled from their sources.");
        string folder = Directory.CreateTempSubdirectory("boosting-ticket-host-kernels-").FullName;
        var made = new HostKernels(folder);
        try
        {
            string repository = KernelFiles.Repository!;
            made.Build(Path.Combine(repository, "kernels"), Path.Combine(repository, "tests", "HostKernels"));
            return made;
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    /// <summary>Runs launches, two blocks at a time, each thread of them a thread of the operating system.</summary>
    /// <param name="launches">What to run.</param>
    /// <param name="withoutBarriers">A kernel whose barriers do nothing; null for none.</param>
    public Outcome Run(IReadOnlyList<RecordedLaunch> launches, string? withoutBarriers = null)
    {
        string input = Inside("launches.bin"), output = Inside("results.bin");
        Write(input, launches);
        string[] defect = withoutBarriers is null ? [] : [withoutBarriers];
        (int status, string report) = Execute(Runner, [Library, Copy, input, output, .. defect]);
        if (status is not (0 or Reported))
            throw new InvalidOperationException($"The runner ended with {status}: {report}");
        using var reader = new BinaryReader(File.OpenRead(output));
        return new Outcome(
            report, [.. launches.Select(launch => (IReadOnlyList<byte[]>)[.. launch.Arrays.Select(Read)])]);

        byte[] Read(RecordedArray array) => reader.ReadBytes(array.Before.Length);
    }

    public void Dispose() => Directory.Delete(_folder, true);

    private string Inside(string file) => Path.Combine(_folder, file);

    private static string[] Names(string folder, string pattern) =>
        [.. from file in Directory.GetFiles(folder, pattern) orderby file select Path.GetFileNameWithoutExtension(file)];

    private void Build(string kernels, string host)
    {
        string[] families = Names(kernels, "*.cu"), headers = Names(kernels, "*.cuh");
        File.WriteAllLines(Inside("headers.inc"), headers.Select(header => $"#include \"{header}.cuh\""));
        File.WriteAllLines(
            Inside("families.inc"), families.Select(family => $"namespace {family} {{\n#include \"{family}.cu\"\n}}"));
        File.WriteAllLines(
            Inside("kernels.inc"),
            from family in families
            from Match entry in Entry().Matches(File.ReadAllText(Path.Combine(kernels, family + ".ptx")))
            select $"KERNEL({family}, {entry.Groups[1].Value})");

        string[] common =
        [
            "-std=c++17", "-O1", "-fsanitize=thread", "-Wall", "-Werror", "-Wno-unknown-pragmas", "-I", host, "-I", kernels, "-I",
            _folder,
        ];
        Compile([.. common, "-fPIC", "-shared", "-fno-gnu-unique", Path.Combine(host, "kernels.cpp"), "-o", Library]);
        File.Copy(Library, Copy);
        Compile([.. common, "-rdynamic", Path.Combine(host, "runner.cpp"), "-o", Runner, "-ldl", "-pthread"]);

        // Without any launch: whether programs with ThreadSanitizer start here at all.
        string nothing = Inside("nothing.bin");
        Write(nothing, []);
        (int status, string report) = Execute(Runner, [Library, Copy, nothing, nothing + ".out"]);
        if (report.Contains("unexpected memory mapping", StringComparison.Ordinal))
        {
            Assert.Ignore(
                "Needs a ThreadSanitizer that knows the system's memory layout: vm.mmap_rnd_bits of at most 28, or a newer g++.");
        }
        if (status != 0)
            throw new InvalidOperationException($"The runner ended with {status}: {report}");
    }

    private void Compile(IReadOnlyList<string> arguments)
    {
        (int status, string report) result;
        try
        {
            result = Execute("g++", arguments);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Ignore("Needs g++ with ThreadSanitizer (libtsan), to build the kernels as host code.");
            return;
        }
        if (MissingLibrary().IsMatch(result.report))
            Assert.Ignore("Needs ThreadSanitizer's library (libtsan) beside g++, to build the kernels as host code.");
        if (result.status != 0)
            throw new InvalidOperationException($"g++ does not compile the kernels as host code:\n{result.report}");
    }

    private (int Status, string Report) Execute(string program, IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = _folder, RedirectStandardError = true };
        start.Environment["TSAN_OPTIONS"] = $"exitcode={Reported}:halt_on_error=0";
        using Process process = Process.Start(start)!;
        Task<string> report = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Patience))
        {
            process.Kill();
            string seconds = $"{program} does not end within {Patience / 1000} s";
            throw new InvalidOperationException($"{seconds}: a thread may wait at a barrier that others never reach.");
        }
        return (process.ExitCode, report.Result);
    }

    private static void Write(string file, IReadOnlyList<RecordedLaunch> launches)
    {
        using var writer = new BinaryWriter(File.Create(file));
        writer.Write(launches.Count);
        foreach (RecordedLaunch launch in launches)
        {
            byte[] name = System.Text.Encoding.ASCII.GetBytes(launch.Kernel);
            writer.Write(name.Length);
            writer.Write(name);
            LaunchGrid grid = launch.Grid;
            foreach (uint side in (uint[])[grid.GridX, grid.GridY, grid.GridZ, grid.BlockX, grid.BlockY, grid.BlockZ])
                writer.Write(side);
            writer.Write(launch.Arrays.Count);
            foreach (RecordedArray array in launch.Arrays)
            {
                writer.Write(array.Before.LongLength);
                writer.Write(array.Before);
            }
            writer.Write(launch.Pointers.Count);
            foreach (RecordedPointer pointer in launch.Pointers)
            {
                writer.Write(pointer.Array);
                writer.Write(pointer.Offset);
                writer.Write(pointer.Target);
                writer.Write(pointer.Value);
            }
            writer.Write(launch.Parameters.Count);
            foreach (RecordedParameter parameter in launch.Parameters)
            {
                writer.Write(parameter.Array ?? -1);
                writer.Write(parameter.Value);
            }
        }
    }

    [GeneratedRegex("cannot find .*tsan")]
    private static partial Regex MissingLibrary();

    [GeneratedRegex(@"\.entry (\w+)\(")]
    private static partial Regex Entry();
}
