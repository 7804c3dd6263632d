using System.Diagnostics;

namespace BoostingTicket.Training.Testing;

/// <summary>How the time of work grows with its size. The same amount is done in one piece and in small ones, in turn, so that
/// neither the machine's speed nor other work on it decides.</summary>
internal static class Growth
{
    private const int Pieces = 16, Rounds = 10;

    // The root of what square growth would come to.
    private const double Most = 4;

    /// <summary>Requires that work in one piece takes about as long as sixteen pieces of a sixteenth; if it grew with the square
    /// of its size, it would take sixteen times as long.</summary>
    /// <param name="size">The size of the one piece.</param>
    /// <param name="prepare">Prepares work of a size and returns it; only the work is timed.</param>
    public static void RequireLinear(int size, Func<int, Action> prepare)
    {
        ArgumentNullException.ThrowIfNull(prepare);
        Action piece = prepare(size / Pieces), whole = prepare(size);
        // Compiles what is called.
        piece();
        double pieces = double.PositiveInfinity, one = double.PositiveInfinity;
        for (int round = 0; round < Rounds; round++)
        {
            // What disturbs the machine only ever adds to a time.
            pieces = Math.Min(pieces, Seconds(piece, Pieces));
            one = Math.Min(one, Seconds(whole, 1));
            if (one < Most * pieces)
                return;
        }
        Assert.Fail(FormattableString.Invariant($"one piece took {one / pieces:F1} times as long as {Pieces} of a part of it"));
    }

    private static double Seconds(Action work, int times)
    {
        long start = Stopwatch.GetTimestamp();
        for (int time = 0; time < times; time++)
            work();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
