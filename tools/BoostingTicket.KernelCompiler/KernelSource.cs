using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace BoostingTicket.KernelCompiler;

/// <summary>A file that kernels include.</summary>
/// <param name="Name">File name, as it stands in the directive.</param>
/// <param name="Text">Contents, with line feeds as line ends.</param>
public sealed record KernelHeader(string Name, string Text);

/// <summary>One family of kernels: a CUDA C file, what it includes, and the head of the PTX that belongs to it.</summary>
public sealed partial class KernelSource
{
    /// <summary>How NVRTC is called; recorded in the PTX. No path takes part, so that the bytes are the same
    /// everywhere.</summary>
    public static readonly string[] Options = ["--gpu-architecture=compute_70", "--std=c++17", "--fmad=true", "--ftz=false"];

    private KernelSource(string path, string text, KernelHeader[] headers)
    {
        Path = path;
        Text = text;
        Headers = headers;
        Hash = ComputeHash();
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>File name without its extension.</summary>
    public string Family => System.IO.Path.GetFileNameWithoutExtension(Path);

    /// <summary>Where the PTX lies: beside the source.</summary>
    public string PtxPath => System.IO.Path.ChangeExtension(Path, ".ptx");

    /// <summary>Contents, with line feeds as line ends.</summary>
    public string Text { get; }

    /// <summary>What it includes, directly or not, in the order of first mention.</summary>
    public IReadOnlyList<KernelHeader> Headers { get; }

    /// <summary>SHA-256, in hexadecimal, of the names and contents of the file and its headers.</summary>
    public string Hash { get; }

    /// <summary>First lines of the PTX: where it comes from and how it was made.</summary>
    public string Head =>
        $"""
        // Made by tools/BoostingTicket.KernelCompiler from kernels/{Family}.cu; do not edit.
        // NVRTC {Nvrtc.RequiredVersion}, {string.Join(' ', Options)}
        // SHA-256 of the source: {Hash}

        """.ReplaceLineEndings("\n");

    /// <summary>Reads a file and what it includes.</summary>
    /// <param name="path">A .cu file; included files lie in the same folder.</param>
    /// <exception cref="FileNotFoundException">An included file is missing.</exception>
    public static KernelSource Read(string path)
    {
        string text = ReadText(path);
        var headers = new List<KernelHeader>();
        AddHeaders(path, text, headers);
        return new KernelSource(path, text, [.. headers]);
    }

    /// <summary>Reads every .cu file of a folder, in the order of their names.</summary>
    public static IReadOnlyList<KernelSource> ReadAll(string folder) =>
        [.. Directory.GetFiles(folder, "*.cu").Order(StringComparer.Ordinal).Select(Read)];

    private static void AddHeaders(string path, string text, List<KernelHeader> headers)
    {
        foreach (Match match in IncludeDirective().Matches(text))
        {
            string name = match.Groups[1].Value;
            if (headers.Exists(header => header.Name == name))
                continue;
            string file = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(path)!, name);
            if (!File.Exists(file))
                throw new FileNotFoundException($"{path} includes {name}, which is not beside it.", file);
            string included = ReadText(file);
            headers.Add(new KernelHeader(name, included));
            AddHeaders(file, included, headers);
        }
    }

    private static string ReadText(string path) => File.ReadAllText(path).ReplaceLineEndings("\n");

    private string ComputeHash()
    {
        var all = new StringBuilder();
        all.Append(Family).Append(".cu\n").Append(Text);
        foreach (KernelHeader header in Headers)
            all.Append('\0').Append(header.Name).Append('\n').Append(header.Text);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(all.ToString())));
    }

    [GeneratedRegex("""^[ \t]*#[ \t]*include[ \t]*"([^"]+)" *$""", RegexOptions.Multiline)]
    private static partial Regex IncludeDirective();
}
