using System.Diagnostics;
using System.Text.RegularExpressions;

namespace BoostingTicket.Engine.Tests.Cuda.Bindings;

/// <summary>Declarations of NVIDIA's headers, after the C preprocessor has turned their names into the exported ones.</summary>
internal sealed partial class NvidiaHeaders
{
    /// <summary>Variable that names folders with cuda.h, cublas_v2.h, cudnn.h and nccl.h.</summary>
    public const string Variable = "BOOSTING_TICKET_CUDA_HEADERS";

    private readonly string _text;
    private readonly Dictionary<string, string> _types = new()
    {
        ["int"] = "int",
        ["unsigned int"] = "uint",
        ["unsigned"] = "uint",
        ["unsigned long long"] = "ulong",
        ["size_t"] = "nuint",
        ["float"] = "float",
        ["double"] = "double",
        ["char"] = "byte",
        ["void"] = "void",
    };

    private NvidiaHeaders(string text)
    {
        _text = Noise().Replace(text, " ");
        foreach (Match match in Enumerations().Matches(_text))
            _types[match.Groups[1].Value] = "int";
        foreach (Match match in Structures().Matches(_text))
            _types[match.Groups[1].Value] = "struct";
        foreach (Match match in Handles().Matches(_text))
            _types[match.Groups[1].Value] = "nint";
        // Later aliases name earlier ones.
        foreach (Match match in Aliases().Matches(_text))
        {
            if (_types.TryGetValue(match.Groups[1].Value.Trim(), out string? type))
                _types.TryAdd(match.Groups[2].Value, type);
        }
    }

    /// <summary>Reads a header; ignores the calling test where it cannot be had.</summary>
    public static NvidiaHeaders Read(string header) => new(Gcc(header, $"#include <{header}>\n", "-E -P"));

    /// <summary>Compiles statements about a header; the compiler's complaints, empty when it has none.</summary>
    public static string Complaints(string header, string code) =>
        Gcc(header, $"#include <stddef.h>\n#include <{header}>\n{code}\n", "-fsyntax-only -Wno-deprecated-declarations");

    /// <summary>Types of a function: what it returns, then its parameters, in the words of C#. A structure is <c>struct</c>, a
    /// handle
    /// <c>nint</c>. Null when it is not declared.</summary>
    public string[]? Signature(string function)
    {
        Match match = Regex.Match(_text, $@"\b{function}\s*\(([^()]*)\)\s*;");
        if (!match.Success)
            return null;
        string returned = _text[(_text.LastIndexOfAny([';', '}'], match.Index) + 1)..match.Index];
        string parameters = match.Groups[1].Value.Trim();
        return
        [
            Type(returned, named: false),
            .. parameters is "void" or "" ? [] : parameters.Split(',').Select(parameter => Type(parameter, named: true)),
        ];
    }

    private string Type(string declaration, bool named)
    {
        string words = Qualifiers().Replace(declaration, " ").Trim();
        int stars = words.Count(letter => letter == '*');
        if (words.EndsWith(']'))
        {
            stars++;
            words = words[..words.IndexOf('[', StringComparison.Ordinal)];
        }
        string[] names = words.Replace('*', ' ').Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        string whole = string.Join(' ', names);
        string plain = named && names.Length > 1 && !_types.ContainsKey(whole) ? string.Join(' ', names[..^1]) : whole;
        return (_types.TryGetValue(plain, out string? type) ? type : $"unknown {plain}") + new string('*', stars);
    }

    private static string Gcc(string header, string code, string options)
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } value)
            throw new IgnoreException($"Set {Variable} to the folders of NVIDIA's headers to check the bindings against them.");
        string[] folders = value.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        if (!folders.Any(folder => File.Exists(Path.Combine(folder, header))))
            throw new IgnoreException($"There is no {header} in {value} ({Variable}).");
        var start = new ProcessStartInfo(
            "gcc", $"{options} -x c {string.Join(' ', folders.Select(folder => $"-I\"{folder}\""))} -")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using Process gcc = Process.Start(start)!;
            gcc.StandardInput.Write(code);
            gcc.StandardInput.Close();
            Task<string> errors = gcc.StandardError.ReadToEndAsync();
            string output = gcc.StandardOutput.ReadToEnd();
            gcc.WaitForExit();
            return options.StartsWith("-E", StringComparison.Ordinal)
                ? gcc.ExitCode == 0 ? output : throw new InvalidOperationException($"gcc cannot read {header}: {errors.Result}")
                : gcc.ExitCode == 0 ? "" : errors.Result;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new IgnoreException("Needs gcc, to read NVIDIA's headers.");
        }
    }

    [GeneratedRegex(@"__attribute__\s*\(\(.*?\)\)|\bextern\b|\b__extension__\b|\b__inline\b")]
    private static partial Regex Noise();

    [GeneratedRegex(@"\bconst\b|\bstruct\b|\s+")]
    private static partial Regex Qualifiers();

    [GeneratedRegex(@"typedef\s+enum\s*\w*\s*\{[^}]*\}\s*(\w+)\s*;")]
    private static partial Regex Enumerations();

    [GeneratedRegex(@"typedef\s+struct\s*\w*\s*\{[^{}]*\}\s*(\w+)\s*;")]
    private static partial Regex Structures();

    [GeneratedRegex(@"typedef\s+struct\s+\w+\s*\*\s*(\w+)\s*;")]
    private static partial Regex Handles();

    [GeneratedRegex(@"typedef\s+(?:enum\s+)?([\w ]+?)\s+(\w+)\s*;")]
    private static partial Regex Aliases();
}
