using System.Runtime.InteropServices;

namespace BoostingTicket.Cli;

/// <summary>Turns Ctrl-C and termination into a request to save and stop; the second one stops the process at once.</summary>
internal sealed class Interrupts : IDisposable
{
    private const string ShowCursor = "\x1b[?25h";

    private readonly CancellationTokenSource _source = new();
    private readonly List<PosixSignalRegistration> _registrations;
    private readonly TextWriter _error;

    /// <summary>Listens from now on.</summary>
    /// <param name="error">Where the first interrupt is acknowledged.</param>
    public Interrupts(TextWriter error)
    {
        _error = error;
        _registrations = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM }.Select(signal => PosixSignalRegistration.Create(signal, Handle))];
    }

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
            return;
        context.Cancel = true;
        // A second interrupt must not leave a live display's hidden cursor behind.
        _error.WriteLine(Console.IsErrorRedirected ? "" : ShowCursor);
        _error.WriteLine("Interrupted: finishing this step and saving. Interrupt again to stop at once.");
        _source.Cancel();
    }
}
