using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.TorchSharpSupport;
using BoostingTicket.Training;

namespace BoostingTicket.Benchmarks;

/// <summary>The command line: <c>--ratio</c>, <c>--robustness</c>, or options of BenchmarkDotNet.</summary>
internal static class BenchmarkCommand
{
    private static readonly Option<bool> Ratio = new("--ratio")
    {
        Description = "time steps of attacks and of training in this engine and in TorchSharp, in turn",
    };

    private static readonly Option<string?> Robustness = new("--robustness")
    {
        HelpName = "FOLDER",
        Description = "train the full networks of the 'experiment speed' in this folder in TorchSharp, and write their points "
            + "beside the experiment's; goes on where it was interrupted",
    };

    private static readonly Option<string?> MemoryOf = new(PeakMemory.Option) { Hidden = true };

    private static readonly Option<string> Only = new("--only")
    {
        HelpName = "TEXT",
        Description = "models (with --operations: shapes) whose name contains the text",
        DefaultValueFactory = _ => "",
    };

    private static readonly Option<int> Threads = Positive("--threads", "N", "threads of both engines", BenchmarkThreads.Count);

    private static readonly Option<int> Repetitions = Positive("--repetitions", "N", "--ratio: repetitions at most", 9);

    private static readonly Option<int> Budget = Positive(
        "--budget", "SECONDS", "--ratio: seconds for all models together; each is repeated three times at least", 200);

    private static readonly Option<bool> Whole = new("--whole")
    {
        Description = "--ratio: time steps of PGD-10 training as a whole instead of composing them of their parts: slow",
    };

    private static readonly Option<bool> Operations = new("--operations")
    {
        Description = "--ratio: convolutions instead of networks",
    };

    private static readonly Option<bool> NoMemory = new("--no-memory")
    {
        Description = "--ratio: do not measure the memory of both engines in processes of their own",
    };

    private static readonly Option<bool> Busy = new("--busy")
    {
        Description = "--ratio: print ratios though other programs use the processors",
    };

    private static readonly Option<bool> Json = new("--json") { Description = "--ratio: print one JSON document" };

    private static readonly Option<bool> DefaultAllocator = new("--default-allocator")
    {
        Description = "leave glibc's allocator as it is, which gives freed tensors back to the system: TorchSharp is slower",
    };

    private static readonly Option<string?> Precision = new Option<string?>("--precision")
    {
        Description = "number format of TorchSharp's passes: --robustness trains in it (float32 if not given); --ratio leaves "
            + "the other one out, such as bfloat16 on a processor without its instructions (both if not given)",
    }.AcceptOnlyFromAmong([.. TorchVariant.All.Select(variant => variant.Precision).Distinct()]);

    private static readonly Option<string?> Data = new("--data")
    {
        HelpName = "FOLDER",
        Description = "--robustness: where data sets are",
    };

    private static readonly Option<bool> Spin = new("--spin")
    {
        Description = "--robustness: let threads of libtorch spin while they wait, as they do by default, instead of sleeping",
    };

    /// <summary>Does what the command line says.</summary>
    /// <returns>The exit code: 0 done; 1 the engines disagree; 2 wrong usage, or a machine that is too busy for ratios; else as
    /// those of the program.</returns>
    public static int Run(string[] args)
    {
        var command = new RootCommand(
            "Compares this engine with TorchSharp. Without --ratio and --robustness, all options are BenchmarkDotNet's, such as "
            + "--filter '*AttackStep*' or --list flat (all of it takes hours).")
        {
            Ratio, Robustness, Only, Threads, Repetitions, Budget, Whole, Operations, NoMemory, Busy, Json, DefaultAllocator,
            Precision, Data, Spin, MemoryOf,
        };
        command.SetAction(Execute);
        ParseResult parsed = command.Parse(args);
        bool isOwn = ((Option[])[Ratio, Robustness, MemoryOf]).Any(option => parsed.GetResult(option) is { Implicit: false })
            || args.Any(word => word is "--help" or "-h" or "-?" or "--version");
        if (!isOwn)
            return RunBenchmarkDotNet(args);
        if (parsed.Errors is [ParseError error, ..])
        {
            string sentence = string.Join(' ', error.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
            Console.Error.WriteLine($"{sentence.TrimEnd('.')}; --help shows the options.");
            return ExitCodes.Configuration;
        }
        return parsed.Invoke();
    }

    private static int Execute(ParseResult parsed)
    {
        if (parsed.GetValue(MemoryOf) is { } engine)
        {
            Console.WriteLine(PeakMemory.Use(engine, parsed.GetValue(Only)!, parsed.GetValue(Threads)));
            return ExitCodes.Done;
        }
        try
        {
            if (!parsed.GetValue(DefaultAllocator))
                TorchAllocator.KeepFreedMemory();
            return parsed.GetValue(Robustness) is { } folder ? Train(parsed, folder) : new RatioRun(new RatioOptions(
                parsed.GetValue(Only)!, parsed.GetValue(Threads), parsed.GetValue(Repetitions), parsed.GetValue(Budget),
                parsed.GetValue(Whole), parsed.GetValue(Operations), !parsed.GetValue(NoMemory), parsed.GetValue(Busy),
                parsed.GetValue(Json), !parsed.GetValue(DefaultAllocator), parsed.GetValue(Precision))).Execute();
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

    private static int Train(ParseResult parsed, string folder)
    {
        // Threads of libtorch spin while they wait for each other. Beside other work, that would be most of the processor
        // seconds.
        if (!parsed.GetValue(Spin))
            NativeEnvironment.Set("OMP_WAIT_POLICY", "passive");
        TorchLibrary.Load(parsed.GetValue(Threads));
        using IBackend processor = CpuBackend.Create(parsed.GetValue(Threads));
        string precision = parsed.GetValue(Precision) ?? TorchVariant.Shipped.Precision;
        new TorchRobustness(folder, parsed.GetValue(Data), precision, processor).Run(
            parsed.GetValue(Only)!, Console.Error.WriteLine);
        return ExitCodes.Done;
    }

    private static int RunBenchmarkDotNet(string[] args)
    {
        TorchAllocator.KeepFreedMemory();
        // Both engines have to live in this process, whose copy of TorchSharp's library is the one that loads.
        Job job = Job.ShortRun.WithToolchain(new InProcessEmitToolchain(TimeSpan.FromHours(1), logOutput: false));
        BenchmarkSwitcher.FromAssembly(typeof(NetworkBenchmark).Assembly).Run(args, DefaultConfig.Instance.AddJob(job));
        return ExitCodes.Done;
    }

    private static Option<int> Positive(string name, string helpName, string description, int usual)
    {
        return new Option<int>(name)
        {
            HelpName = helpName,
            Description = description,
            DefaultValueFactory = _ => usual,
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= 1)
                    return value;
                result.AddError($"{name} is '{text}', not a whole number from 1 on");
                return 0;
            },
        };
    }
}
