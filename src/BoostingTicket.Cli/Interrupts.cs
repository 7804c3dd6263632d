using System.Runtime.InteropServices;

namespace BoostingTicket.Cli;

/// <summary>Turns Ctrl-C and termination into a request to save and stop; the second one stops the process at once.</summary>
internal sealed class Interrupts : IDisposable
{
    private const string ShowCursor = "\x1b[?25h";

    private readonly CancellationTokenSource _source = new();
    private readonly List<PosixSignalRegistration> _registrations;

    /// <summary>Listens from now on.</summary>
    public Interrupts() => _registrations =
        [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM }.Select(signal => PosixSignalRegistration.Create(signal, Handle))];

    /// <summary>Cancelled by the first interrupt.</summary>
    public CancellationToken Token => _source.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
            registration.Dispose();
        _source.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        if (_source.IsCancellationRequested)
        {
            // A live display may have hidden the cursor.
            if (!Console.IsErrorRedirected)
                Console.Error.Write(ShowCursor);
            return;
        }

        context.Cancel = true;
        _source.Cancel();
    }
}
