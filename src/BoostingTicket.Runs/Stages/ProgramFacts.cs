using System.Reflection;
using System.Runtime.InteropServices;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Runs.Stages;

/// <summary>What a result should name so that it can be repeated: the processor, and what the program was built from.</summary>
internal static class ProgramFacts
{
    private const string Unknown = "unknown";

    private static readonly string[] Platform = ["System", "Microsoft", "netstandard", "mscorlib", "BoostingTicket"];

    /// <summary>The processor's model as it calls itself, and how many of its threads the program may use.</summary>
    public static string Processor { get; } =
        FormattableString.Invariant(
            $"{Model() ?? $"{RuntimeInformation.ProcessArchitecture}"}, {Environment.ProcessorCount} threads");

    /// <summary>The commit that the program was built from; <c>unknown</c> for one that was built outside a repository.</summary>
    public static string Commit { get; } = CommitOf(typeof(ProgramFacts).Assembly);

    /// <summary>The libraries of others that the program's own use, with their versions, by name.</summary>
    public static string Libraries { get; } = string.Join(
        ", ",
        new[] { typeof(FeatureShape).Assembly, typeof(BoostingTicketException).Assembly, typeof(ProgramFacts).Assembly }
            .SelectMany(assembly => assembly.GetReferencedAssemblies())
            .Where(name => !Platform.Contains(name.Name!.Split('.')[0]) || name.Name.StartsWith(
                "Microsoft.Ext", StringComparison.Ordinal))
            .Select(name => $"{name.Name} {name.Version?.ToString(3)}").Distinct().Order(StringComparer.Ordinal));

    private static string CommitOf(Assembly assembly)
    {
        string version = assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
        int sign = version.IndexOf('+', StringComparison.Ordinal);
        return sign < 0 ? Unknown : version[(sign + 1)..];
    }

    // Linux says it in a file, Windows in a variable; elsewhere the architecture has to do.
    private static string? Model()
    {
        const string Linux = "/proc/cpuinfo", Name = "model name";
        try
        {
            string? line = File.Exists(Linux)
                ? File.ReadLines(Linux).FirstOrDefault(one => one.StartsWith(Name, StringComparison.Ordinal))
                : null;
            return line is not null ? line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()
                : Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER");
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            return null;
        }
    }
}
