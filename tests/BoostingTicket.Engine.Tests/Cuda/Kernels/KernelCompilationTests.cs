using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using BoostingTicket.Engine.Cuda.Kernels;
using BoostingTicket.KernelCompiler;

namespace BoostingTicket.Engine.Tests.Cuda.Kernels;

/// <summary>The committed PTX is what the source compiles to, is what the program carries, and is fit for every supported
/// GPU.</summary>
internal sealed partial class KernelCompilationTests
{
    private static readonly string[] Architectures = ["sm_70", "sm_80", "sm_90"];

    private static IEnumerable<object[]> Assemblies =>
        from family in KernelLibrary.Families.Order(StringComparer.Ordinal)
        from architecture in Architectures
        select (object[])[family, architecture];

    /// <summary>The head holds a hash of source and headers, so this finds a change that was not compiled, on any
    /// machine.</summary>
    [Test]
    public void Committed_ptx_was_compiled_from_the_source_beside_it()
    {
        IReadOnlyList<KernelSource> sources = KernelFiles.Sources();
        Assert.That(sources, Is.Not.Empty);
        using (Assert.EnterMultipleScope())
        {
            foreach (KernelSource source in sources)
            {
                Assert.That(source.PtxPath, Does.Exist);
                Assert.That(
                    File.ReadAllText(source.PtxPath).ReplaceLineEndings("\n"), Does.StartWith(source.Head),
                    $"{source.PtxPath} is not of this source: compile the kernels with build.sh kernels and commit the result.");
            }
        }
    }

    [Test]
    public void Program_carries_every_family_and_no_other()
    {
        IReadOnlyList<KernelSource> sources = KernelFiles.Sources();
        Assert.That(KernelLibrary.Families, Is.EquivalentTo(sources.Select(source => source.Family)));
        foreach (KernelSource source in sources)
        {
            ReadOnlySpan<byte> carried = KernelLibrary.Ptx(source.Family);
            Assert.That(carried[^1], Is.Zero, "the driver wants a terminating zero");
            Assert.That(Encoding.ASCII.GetString(carried[..^1]), Is.EqualTo(File.ReadAllText(source.PtxPath)));
        }
    }

    [Test]
    public void Hash_depends_on_included_files()
    {
        string folder = Path.Combine(TestContext.CurrentContext.WorkDirectory, "hash");
        Directory.CreateDirectory(folder);
        string kernel = Path.Combine(folder, "a.cu");
        File.WriteAllText(kernel, "#include \"b.cuh\"\nextern \"C\" __global__ void a() {}\n");
        File.WriteAllText(Path.Combine(folder, "b.cuh"), "#include \"c.cuh\"\n");
        File.WriteAllText(Path.Combine(folder, "c.cuh"), "// first\n");
        KernelSource first = KernelSource.Read(kernel);
        File.WriteAllText(Path.Combine(folder, "c.cuh"), "// first\r\n");
        KernelSource otherLineEnds = KernelSource.Read(kernel);
        File.WriteAllText(Path.Combine(folder, "c.cuh"), "// second\n");
        KernelSource second = KernelSource.Read(kernel);
        Directory.Delete(folder, recursive: true);
        Assert.That(first.Headers.Select(header => header.Name), Is.EqualTo(["b.cuh", "c.cuh"]));
        Assert.That(otherLineEnds.Hash, Is.EqualTo(first.Hash));
        Assert.That(second.Hash, Is.Not.EqualTo(first.Hash));
    }

    [Test]
    public void Compiling_again_gives_the_committed_bytes()
    {
        IReadOnlyList<KernelSource> sources = KernelFiles.Sources();
        using Nvrtc compiler = Compiler();
        foreach (KernelSource source in sources)
            Assert.That(compiler.Compile(source), Is.EqualTo(File.ReadAllText(source.PtxPath).ReplaceLineEndings("\n")));
    }

    [Test]
    public void Compiler_reports_mistakes_with_file_and_line()
    {
        using Nvrtc compiler = Compiler();
        string path = Path.Combine(TestContext.CurrentContext.WorkDirectory, "mistake.cu");
        File.WriteAllText(path, "extern \"C\" __global__ void mistake(float* a)\n{\n    a[0] = unknown;\n}\n");
        KernelSource source = KernelSource.Read(path);
        File.Delete(path);
        Assert.That(
            () => compiler.Compile(source),
            Throws.TypeOf<KernelCompilationException>().With.Message.Contains("mistake.cu(3)").And.Message.Contains("unknown"));
    }

    /// <summary>ptxas is what the driver compiles with; registers that do not suffice would go through memory.</summary>
    [TestCaseSource(nameof(Assemblies))]
    public void Assembler_accepts_without_spills(string family, string architecture)
    {
        string? assembler = NvrtcFolders.FindAssembler(KernelFiles.Repository ?? AppContext.BaseDirectory);
        if (assembler is null)
            Assert.Ignore($"ptxas was not found; tools/get-nvrtc.sh obtains it, {NvrtcFolders.Variable} names its folder");
        string path = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"{family}-{architecture}.ptx");
        File.WriteAllBytes(path, KernelLibrary.Ptx(family)[..^1]);
        string log = Run(
            assembler!, ["-v", $"-arch={architecture}", path, "-o", Path.ChangeExtension(path, ".cubin")], out int status);
        File.Delete(path);
        File.Delete(Path.ChangeExtension(path, ".cubin"));
        if (log.Contains("is not defined for option", StringComparison.Ordinal))
            Assert.Ignore($"{assembler} no longer assembles for {architecture}");
        Assert.That(status, Is.Zero, log);

        int kernels = Regex.Count(Encoding.ASCII.GetString(KernelLibrary.Ptx(family)), @"\.visible \.entry");
        MatchCollection uses = MemoryUse().Matches(log);
        Assert.That(uses, Has.Count.EqualTo(kernels).And.Count.GreaterThan(0), log);
        foreach (Match use in uses)
            Assert.That(use.Groups.Values.Skip(1).Select(group => group.Value), Is.All.EqualTo("0"), log);
        TestContext.Out.WriteLine(log);
    }

    private static Nvrtc Compiler()
    {
        if (NvrtcFolders.Find(null, KernelFiles.Repository ?? AppContext.BaseDirectory) is not { } folder)
        {
            Assert.Ignore(
                $"NVRTC {Nvrtc.RequiredVersion} was not found; tools/get-nvrtc.sh obtains it, {NvrtcFolders.Variable} names its "
                + $"folder");
            return null;
        }
        return Nvrtc.Load(folder);
    }

    private static string Run(string program, string[] arguments, out int status)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd() + errors.GetAwaiter().GetResult();
        process.WaitForExit();
        status = process.ExitCode;
        return output;
    }

    [GeneratedRegex(@"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")]
    private static partial Regex MemoryUse();
}
