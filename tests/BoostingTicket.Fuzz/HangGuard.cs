namespace BoostingTicket.Fuzz;

/// <summary>Ends a process that hangs in an input, since no code in it can be stopped, and saves that input.</summary>
/// <param name="target">Name of the target.</param>
internal sealed class HangGuard(string target)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private static volatile Running? _running;
    private static int _watched;

    /// <summary>Where the input is saved; null for the folder of temporary files.</summary>
    public string? Folder { get; set; }

    /// <summary>An input begins.</summary>
    public void Begin(byte[] input)
    {
        _running = new Running(target, Folder ?? Path.GetTempPath(), input, DateTime.UtcNow);
        if (Interlocked.Exchange(ref _watched, 1) == 0)
            new Thread(Watch) { IsBackground = true, Name = "hang guard" }.Start();
    }

    /// <summary>It has ended.</summary>
    public static void End() => _running = null;

    private static void Watch()
    {
        while (true)
        {
            Thread.Sleep(Interval);
            if (_running is not { } running || DateTime.UtcNow - running.Start <= FuzzRunner.Patience)
                continue;
            string path = Path.Combine(running.Folder, $"{running.Target}-hang.bin");
            File.WriteAllBytes(path, running.Input);
            Environment.FailFast($"The target {running.Target} hangs in an input; it is saved as {path}.");
        }
    }

    private sealed record Running(string Target, string Folder, byte[] Input, DateTime Start);
}
