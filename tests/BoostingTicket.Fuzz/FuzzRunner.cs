using System.Diagnostics;
using BoostingTicket.Fuzz.Mutation;
using BoostingTicket.Training;

namespace BoostingTicket.Fuzz;

/// <summary>Executes mutated inputs of one target and judges each: an undocumented exception, more than <see
/// cref="MostSeconds"/>, or
/// an allocation over <see cref="Allowance"/> is a failure. What is slow or large is executed once more before it counts, since
/// the compiler and other processes take time and memory too.</summary>
/// <param name="target">The target.</param>
/// <param name="seed">Seed of all mutations: input number n of a seed is always the same.</param>
internal sealed class FuzzRunner(FuzzTarget target, int seed)
{
    /// <summary>Seconds that no input may take.</summary>
    public const double MostSeconds = 2;

    /// <summary>Bytes that may be allocated for each byte of input.</summary>
    public const int BytesPerByte = 10;

    private readonly HangGuard _guard = new(target.Name);

    /// <summary>Seconds after which a hanging process saves its input and ends.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(60);

    /// <summary>Where a hanging process saves its input; null for nowhere.</summary>
    public string? HangFolder
    {
        get => _guard.Folder;
        set => _guard.Folder = value;
    }

    /// <summary>Bytes that an input of a length may make a target allocate.</summary>
    public static long Allowance(FuzzTarget target, int length)
    {
        ArgumentNullException.ThrowIfNull(target);
        return (BytesPerByte * (long)length) + target.FixedBytes;
    }

    /// <summary>The input of a number.</summary>
    public byte[] InputOf(long number)
    {
        ulong mixed = unchecked((((ulong)number + 1) * 0x9E37_79B9_7F4A_7C15) ^ ((ulong)seed * 0xC2B2_AE3D_27D4_EB4F));
        int start = unchecked((int)(mixed >> 29)) ^ StableHash(target.Name);
        return new Mutator(new Random(start)).Mutate(target.Form, target.Corpus);
    }

    /// <summary>Executes inputs.</summary>
    /// <param name="first">Number of the first.</param>
    /// <param name="count">How many.</param>
    public FuzzSummary Run(long first, long count)
    {
        var summary = new FuzzSummary(target.Name);
        // What a target makes on first use is not an input's fault.
        foreach (byte[] input in target.Corpus)
            Execute(input, out _, out _);
        long begin = Stopwatch.GetTimestamp();
        for (long number = first; number < first + count; number++)
            Judge(InputOf(number), summary);

        summary.Seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        return summary;
    }

    /// <summary>Executes one input and adds what it did to a summary.</summary>
    public void Judge(byte[] input, FuzzSummary summary)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(summary);
        Exception? error = Execute(input, out double seconds, out long bytes);
        if (seconds > MostSeconds || bytes > Allowance(target, input.Length))
        {
            Execute(input, out double again, out long bytesAgain);
            (seconds, bytes) = (Math.Min(seconds, again), Math.Min(bytes, bytesAgain));
        }

        summary.Executions++;
        summary.SlowestMilliseconds = Math.Max(summary.SlowestMilliseconds, 1_000 * seconds);
        summary.LargestAllocation = Math.Max(summary.LargestAllocation, (double)bytes / Allowance(target, input.Length));
        Failure? failure = error is not (null or BoostingTicketException)
            ? new Failure($"{error.GetType().Name} at {PlaceOf(error)}", error.ToString(), input)
            : seconds > MostSeconds ? new Failure($"over {MostSeconds} seconds",
                $"{seconds:F1} seconds for {input.Length} bytes", input)
            : bytes > Allowance(target, input.Length) ? new Failure("allocation",
                $"{bytes} bytes allocated for {input.Length} bytes", input)
            : null;
        if (failure is not null)
        {
            summary.Failed++;
            summary.Failures.TryAdd(failure.Kind, failure);
        }
        else if (error is null)
            summary.Accepted++;
        else
            summary.Rejected++;
    }

    private Exception? Execute(byte[] input, out double seconds, out long bytes)
    {
        _guard.Begin(input);
        long before = GC.GetAllocatedBytesForCurrentThread(), begin = Stopwatch.GetTimestamp();
        Exception? error = null;
        try
        {
            target.Execute(input);
        }
        catch (Exception caught)
        {
            error = caught;
        }

        seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        HangGuard.End();
        return error;
    }

    // The innermost frame of the program's own code.
    private static string PlaceOf(Exception error)
    {
        var trace = new StackTrace(error);
        var own = trace.GetFrames().Select(frame => frame.GetMethod()).FirstOrDefault(method =>
            method?.DeclaringType?.FullName is { } type && type.StartsWith("BoostingTicket.", StringComparison.Ordinal)
            && !type.StartsWith("BoostingTicket.Fuzz.FuzzRunner", StringComparison.Ordinal));
        return own is null ? "an unknown place" : $"{own.DeclaringType!.Name}.{own.Name}";
    }

    private static int StableHash(string text) => text.Aggregate(17, (hash, character) => unchecked((hash * 31) + character));
}
