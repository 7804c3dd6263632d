using System.Runtime.InteropServices;

namespace BoostingTicket.Cli.Streams;

/// <summary>Standard output or standard error as a stream that does nothing but write. .NET's <see cref="Console"/> would first
/// send a terminal the sequence of its application mode, which ends up in front of a JSON document, and a
/// <see cref="FileStream"/> would keep a position of its own, so that two streams into one file would overwrite each
/// other.</summary>
internal sealed partial class StandardStream : Stream
{
    /// <summary>Descriptor of standard output.</summary>
    public const int Output = 1;

    /// <summary>Descriptor of standard error.</summary>
    public const int Error = 2;

    private const int GetDescriptorFlags = 1;
    private const int CloseOnExec = 1;
    private const int BrokenPipe = 32;
    private const int Interrupted = 4;
    private const int LinuxWouldBlock = 11;
    private const int MacWouldBlock = 35;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private readonly int _descriptor;
    private readonly Stream? _console;
    private readonly bool _missing;
    private bool _unread;

    /// <summary>Opens one of the two.</summary>
    /// <param name="descriptor"><see cref="Output"/> or <see cref="Error"/>.</param>
    public StandardStream(int descriptor)
    {
        _descriptor = descriptor;
        if (OperatingSystem.IsWindows())
        {
            _console = descriptor == Output ? Console.OpenStandardOutput() : Console.OpenStandardError();
            return;
        }

        // What was inherited stays open across exec. A descriptor that does not was closed when the program was started, and its
        // number has gone to a file of the runtime since, or goes to the next file that is opened: it must never be written to.
        int flags = Flags(descriptor, GetDescriptorFlags, 0);
        _missing = flags < 0 || (flags & CloseOnExec) != 0;
    }

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    /// <exception cref="IOException">It is closed, its disk is full, or its terminal is gone. A pipe that nobody reads any more
    /// is no failure: the reader has seen enough.</exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (_console is not null)
        {
            _console.Write(buffer);
            return;
        }

        if (_missing)
            throw new IOException("it is closed");
        while (!buffer.IsEmpty && !_unread)
            buffer = buffer[WriteSome(buffer)..];
    }

    private int WriteSome(ReadOnlySpan<byte> buffer)
    {
        nint written = WriteTo(_descriptor, ref MemoryMarshal.GetReference(buffer), buffer.Length);
        if (written >= 0)
            return (int)written;
        int error = Marshal.GetLastPInvokeError();
        if (error == BrokenPipe)
            _unread = true;
        else if (error is LinuxWouldBlock or MacWouldBlock)
            Thread.Sleep(Pause);
        else if (error != Interrupted)
            throw new IOException(Marshal.GetPInvokeErrorMessage(error), error);
        return 0;
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Flush() => _console?.Flush();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteTo(int descriptor, ref byte buffer, nint count);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Flags(int descriptor, int command, nint argument);
}
