using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using BoostingTicket.Cli.Streams;

namespace BoostingTicket.Cli.Signals;

/// <summary>Turns signals into a request to save and stop. Ctrl-C, termination (SIGTERM), a closed terminal (SIGHUP) and SIGUSR1
/// ask for it. A second Ctrl-C stops at once, and so does a termination at least two seconds after the first signal. Batch
/// systems and terminals send a signal twice within milliseconds: those are one.</summary>
internal sealed class Interrupts : IDisposable
{
    private const string ShowCursor = "\x1b[?25h";
    private const string StatusFile = "/proc/self/status";
    private const string SignalsIgnored = "SigIgn:";
    private const int Hangup = 1;
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    private readonly CancellationTokenSource _source = new();
    private readonly Lock _lock = new();
    private readonly SavingWork _saving;
    private readonly Terminal _terminal;
    private readonly Action _abandon;
    private readonly List<PosixSignalRegistration> _registrations = [];
    private long? _first;

    /// <summary>Listens from now on.</summary>
    /// <param name="saving">Work that is given the time to save itself.</param>
    /// <param name="terminal">Where a cursor may be hidden.</param>
    /// <param name="abandon">Ends the process; called when the first signal has come and nothing that saves has been going on
    /// for a second since.</param>
    public Interrupts(SavingWork saving, Terminal terminal, Action abandon)
    {
        (_saving, _terminal, _abandon) = (saving, terminal, abandon);
        foreach (PosixSignal signal in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM])
            _registrations.Add(PosixSignalRegistration.Create(signal, Handle));
        // nohup asks not to be told.
        if (!IgnoresHangup())
            _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, Handle));
        if (User1 is { } number)
            _registrations.Add(PosixSignalRegistration.Create((PosixSignal)number, Handle));
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Asks to save and stop, as a first signal does.</summary>
    public void Ask()
    {
        lock (_lock)
        {
            if (_first is not null)
                return;
            _first = Stopwatch.GetTimestamp();
        }
        Begin();
    }

    // .NET has no name for it, but takes a system's own numbers.
    private static int? User1 => OperatingSystem.IsLinux() ? 10 : OperatingSystem.IsMacOS() ? 30 : null;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
            registration.Dispose();
        _source.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        lock (_lock)
        {
            if (_first is { } first)
            {
                context.Cancel = !SecondSignal.StopsAtOnce(context.Signal, Stopwatch.GetElapsedTime(first));
                // A live display may have hidden the cursor.
                if (!context.Cancel && _terminal.IsErrorInteractive)
                    _terminal.Error.Write(ShowCursor);
                return;
            }

            context.Cancel = true;
            _first = Stopwatch.GetTimestamp();
        }

        Begin();
    }

    private void Begin()
    {
        new Thread(Watch) { IsBackground = true }.Start();
        try
        {
            _source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The command has ended.
        }
    }

    private void Watch()
    {
        long idle = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(idle) < Grace)
        {
            Thread.Sleep(Look);
            if (_saving.IsActive)
                idle = Stopwatch.GetTimestamp();
        }

        _abandon();
    }

    private static bool IgnoresHangup()
    {
        if (!File.Exists(StatusFile))
            return false;
        string? line = File.ReadLines(StatusFile)
            .FirstOrDefault(text => text.StartsWith(SignalsIgnored, StringComparison.Ordinal))?[SignalsIgnored.Length..].Trim();
        return ulong.TryParse(line, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out ulong ignored)
            && (ignored & (1UL << (Hangup - 1))) != 0;
    }
}
