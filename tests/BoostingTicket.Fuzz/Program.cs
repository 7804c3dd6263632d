using System.Globalization;
using BoostingTicket.Runs.Reporting;

namespace BoostingTicket.Fuzz;

/// <summary>Mutates without bound: <c>--target all --executions 1000000 --seed 1</c>.</summary>
internal static class Program
{
    private const string Help =
        """
        Executes mutated inputs of every format that the program reads, and fails when one is not refused as documented.

          --target NAME,…|all   targets; default all, of which cheap ones take more executions
          --executions N        executions of all of them together; default 100000
          --seed S              seed of the mutations; default 1
          --first N             number of each target's first input, to go on where another run ended; default 0
          --failures FOLDER     where failing inputs are kept; default fuzz-failures
          --replay FILE         executes one input (of the one --target) and shows what it does
          --list                names of the targets
        """;

    private static int Main(string[] arguments)
    {
        if (arguments.Contains("--help") || arguments.Contains("-h"))
        {
            Console.WriteLine(Help);
            return 0;
        }

        if (arguments.Contains("--list"))
        {
            Console.WriteLine(string.Join('\n', FuzzTargets.Names));
            return 0;
        }

        try
        {
            var given = Parse(arguments);
            return FuzzTargets.Use(targets => Run(given, targets));
        }
        catch (ArgumentException error)
        {
            Console.Error.WriteLine(error.Message);
            return 2;
        }
    }

    private static Dictionary<string, string> Parse(string[] arguments)
    {
        var given = new Dictionary<string, string>
        {
            ["--target"] = "all",
            ["--executions"] = "100000",
            ["--seed"] = "1",
            ["--first"] = "0",
            ["--failures"] = "fuzz-failures",
            ["--replay"] = "",
        };
        for (int i = 0; i < arguments.Length; i += 2)
        {
            if (!given.ContainsKey(arguments[i]) || i + 1 == arguments.Length)
                throw new ArgumentException($"'{arguments[i]}' is no option, or has no value; see --help.");
            given[arguments[i]] = arguments[i + 1];
        }

        return given;
    }

    private static int Run(Dictionary<string, string> given, IReadOnlyList<FuzzTarget> all)
    {
        string[] names = given["--target"] == "all" ? [.. all.Select(target => target.Name)] : given["--target"].Split(',');
        if (names.FirstOrDefault(name => all.All(target => target.Name != name)) is { } unknown)
            throw new ArgumentException($"There is no target '{unknown}'; see --list.");
        FuzzTarget[] chosen = [.. all.Where(target => names.Contains(target.Name))];
        long executions = Number(given, "--executions"), first = Number(given, "--first");
        int seed = (int)Number(given, "--seed");
        if (given["--replay"] is { Length: > 0 } file)
            return Replay(chosen.Length == 1 ? chosen[0] : throw new ArgumentException(
                "--replay needs the one --target of the input."), file);

        Directory.CreateDirectory(given["--failures"]);
        long weights = chosen.Sum(target => (long)target.Weight);
        List<FuzzSummary> summaries = [];
        foreach (FuzzTarget target in chosen)
        {
            var runner = new FuzzRunner(target, seed) { HangFolder = given["--failures"] };
            FuzzSummary summary = runner.Run(first, (executions * target.Weight + weights - 1) / weights);
            summaries.Add(summary);
            Save(summary, given["--failures"]);
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{target.Name}: {summary.Executions:N0} in {summary.Seconds:F0} s, {summary.Failed:N0} failed"));
        }

        Show(summaries);
        return summaries.Any(summary => summary.Failed > 0) ? 1 : 0;
    }

    private static int Replay(FuzzTarget target, string file)
    {
        // What the target makes on first use is not the input's fault.
        var runner = new FuzzRunner(target, 0);
        runner.Run(0, 0);
        var summary = new FuzzSummary(target.Name);
        runner.Judge(File.ReadAllBytes(file), summary);
        foreach (Failure failure in summary.Failures.Values)
            Console.WriteLine($"{failure.Kind}\n{failure.Detail}");
        Show([summary]);
        return summary.Failed > 0 ? 1 : 0;
    }

    private static void Save(FuzzSummary summary, string folder)
    {
        foreach ((int index, Failure failure) in summary.Failures.Values.Index())
        {
            string path = Path.Combine(folder, $"{summary.Target}-{index}.bin");
            File.WriteAllBytes(path, failure.Input);
            File.WriteAllText(path + ".txt", $"{failure.Kind}\n{failure.Detail}\n");
            Console.Error.WriteLine($"{path}: {failure.Kind}");
        }
    }

    private static void Show(List<FuzzSummary> summaries)
    {
        var table = new TextTable("target", ">executions", ">rejected", ">accepted", ">undocumented", ">slowest ms",
            ">allocated of allowed");
        foreach (FuzzSummary summary in summaries)
        {
            table.Add(
                summary.Target, Count(summary.Executions), Count(summary.Rejected), Count(summary.Accepted),
                    Count(summary.Failed),
                summary.SlowestMilliseconds.ToString("N1", CultureInfo.InvariantCulture),
                    summary.LargestAllocation.ToString("F2", CultureInfo.InvariantCulture));
        }

        if (summaries.Count > 1)
        {
            var sum = new FuzzSummary("all");
            foreach (FuzzSummary summary in summaries)
                sum.Add(summary);
            table.Add(
                sum.Target, Count(sum.Executions), Count(sum.Rejected), Count(sum.Accepted), Count(sum.Failed),
                sum.SlowestMilliseconds.ToString("N1", CultureInfo.InvariantCulture),
                    sum.LargestAllocation.ToString("F2", CultureInfo.InvariantCulture));
        }

        table.Write(Console.Out);
    }

    private static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static long Number(Dictionary<string, string> given, string name) =>
        long.TryParse(given[name], NumberStyles.None, CultureInfo.InvariantCulture, out long value)
            ? value
            : throw new ArgumentException($"{name} is '{given[name]}'; give a whole number.");
}
