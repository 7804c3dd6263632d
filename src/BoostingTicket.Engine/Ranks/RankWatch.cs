using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;

namespace BoostingTicket.Engine.Ranks;

/// <summary>A line between rank 0 and each other process beside the one that carries values. It notices within seconds when a
/// process ends, falls silent or fails, which MPI does not, and it carries a request to stop. Each side sends a sign of life
/// every second from a thread of its own, so that long computations are no silence.</summary>
internal sealed class RankWatch : IDisposable
{
    /// <summary>Seconds of silence after which a process counts as lost.</summary>
    public const string SecondsVariable = "BOOSTING_TICKET_RANK_SECONDS";

    /// <summary>How sentences about lost processes end; whoever knows the command says more.</summary>
    public const string Remedy = "resume it from the last checkpoint";

    private const int UsualSeconds = 15, LongestText = 1 << 16, TokenBytes = 16;

    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1), Connecting = TimeSpan.FromSeconds(5);

    private readonly List<Line> _lines = [];
    private readonly Lock _lock = new();
    private readonly TimeSpan _silence;
    private readonly Timer _timer;
    private readonly Action _stop;
    private TeamException? _failure;
    private long _lastBeat;
    private long _resumed;
    private bool _closing;

    private RankWatch(TimeSpan silence, Action stop)
    {
        (_silence, _stop) = (silence, stop);
        _lastBeat = Stopwatch.GetTimestamp();
        _timer = new Timer(_ => GiveSign(), null, Beat, Beat);
    }

    private enum Sign : byte
    {
        Alive,
        Failed,
        Stop,
        End,
    }

    /// <summary>What became of the others; null while all is well.</summary>
    public TeamException? Failure
    {
        get
        {
            lock (_lock)
                return _failure;
        }
    }

    /// <summary>Whether anything can still be heard of another process.</summary>
    internal bool Hears
    {
        get
        {
            lock (_lock)
                return _lines.Any(line => line.Reader.IsAlive);
        }
    }

    /// <summary>Ends the wait of a process that would wait in vain.</summary>
    /// <exception cref="TeamException">Another process failed or was lost.</exception>
    public void ThrowIfFailed()
    {
        if (Failure is { } failure)
            throw new TeamException(failure.Message, failure.ExitCode, failure);
    }

    /// <summary>Rank 0's side: waits for the other processes to call.</summary>
    /// <param name="listener">Where they call.</param>
    /// <param name="token">What they prove themselves by.</param>
    /// <param name="hosts">Machine of each rank.</param>
    /// <param name="silence">Silence after which a process counts as lost.</param>
    /// <param name="stop">Called when a process was asked to stop.</param>
    /// <exception cref="TeamException">One did not call.</exception>
    public static RankWatch Accept(
        TcpListener listener, ReadOnlySpan<byte> token, IReadOnlyList<string> hosts, TimeSpan silence, Action stop)
    {
        ArgumentNullException.ThrowIfNull(listener);
        ArgumentNullException.ThrowIfNull(hosts);
        var watch = new RankWatch(silence, stop);
        long start = Stopwatch.GetTimestamp();
        var missing = new HashSet<int>(Enumerable.Range(1, hosts.Count - 1));
        var greeting = new byte[TokenBytes + sizeof(int)];
        while (missing.Count > 0)
        {
            if (!listener.Pending())
            {
                if (Stopwatch.GetElapsedTime(start) > 2 * Connecting)
                    throw new TeamException(string.Create(
                        CultureInfo.InvariantCulture,
                        $"Rank {missing.Min()} on {hosts[missing.Min()]} cannot reach rank 0 on {hosts[0]} by TCP; open ports "
                        + $"between these machines, or start all processes on one."), TeamException.Misused);
                Thread.Sleep(5);
                continue;
            }
            Socket socket = listener.AcceptSocket();
            socket.ReceiveTimeout = (int)Connecting.TotalMilliseconds;
            if (ReadAll(socket, greeting) && greeting.AsSpan(0, TokenBytes).SequenceEqual(token)
                && missing.Remove(BitConverter.ToInt32(greeting, TokenBytes)))
                watch.Listen(socket, BitConverter.ToInt32(greeting, TokenBytes), hosts);
            else
                socket.Dispose();
        }
        return watch;
    }

    /// <summary>The side of another process: calls rank 0.</summary>
    /// <param name="addresses">Addresses of rank 0's machine.</param>
    /// <param name="port">Its port.</param>
    /// <param name="token">What the process proves itself by.</param>
    /// <param name="rank">The process.</param>
    /// <param name="hosts">Machine of each rank.</param>
    /// <param name="silence">Silence after which rank 0 counts as lost.</param>
    /// <exception cref="TeamException">Nobody answers.</exception>
    public static RankWatch Call(
        IReadOnlyList<IPAddress> addresses, int port, ReadOnlySpan<byte> token, int rank, IReadOnlyList<string> hosts,
        TimeSpan silence)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        ArgumentNullException.ThrowIfNull(hosts);
        bool same = hosts[rank] == hosts[0];
        foreach (IPAddress address in addresses.OrderBy(address => IPAddress.IsLoopback(address) == same ? 0 : 1))
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                if (socket.ConnectAsync(address, port).Wait(Connecting))
                {
                    socket.Send([.. token, .. BitConverter.GetBytes(rank)]);
                    var watch = new RankWatch(silence, () => { });
                    watch.Listen(socket, 0, hosts);
                    return watch;
                }
            }
            catch (Exception cause) when (cause is SocketException or AggregateException)
            {
                // The next address may be the one.
            }
            socket.Dispose();
        }
        throw new TeamException(string.Create(
            CultureInfo.InvariantCulture,
            $"Rank {rank} on {hosts[rank]} cannot reach rank 0 on {hosts[0]} by TCP; open ports between these machines, or start "
            + $"all "
            + $"processes on one."), TeamException.Misused);
    }

    /// <summary>Silence after which a process counts as lost, as the environment says.</summary>
    /// <param name="variable">Value of an environment variable.</param>
    public static TimeSpan SilenceOf(Func<string, string?> variable)
    {
        ArgumentNullException.ThrowIfNull(variable);
        return TimeSpan.FromSeconds(
            int.TryParse(variable(SecondsVariable), NumberStyles.None, CultureInfo.InvariantCulture, out int seconds)
                && seconds >= 2
                ? Math.Min(seconds, 86_400)
                : UsualSeconds);
    }

    /// <summary>Addresses of this machine, from which others may reach it.</summary>
    public static IReadOnlyList<IPAddress> OwnAddresses() =>
        [.. NetworkInterface.GetAllNetworkInterfaces().Where(one => one.OperationalStatus is OperationalStatus.Up
                or OperationalStatus.Unknown)
            .SelectMany(one => one.GetIPProperties().UnicastAddresses).Select(one => one.Address)
            .Where(address => address.AddressFamily == AddressFamily.InterNetwork).Append(IPAddress.Loopback).Distinct()];

    /// <summary>Tells rank 0 why this process fails.</summary>
    /// <param name="message">A sentence.</param>
    /// <param name="exitCode">Its exit code.</param>
    public void Fail(string message, int exitCode) =>
        SendToAll(Sign.Failed, string.Create(CultureInfo.InvariantCulture, $"{exitCode} {message}"));

    /// <summary>Tells rank 0 that this process was asked to stop.</summary>
    public void AskToStop() => SendToAll(Sign.Stop, "");

    /// <summary>Tells the other processes to end, wherever they are.</summary>
    /// <param name="exitCode">Their exit code.</param>
    public void EndAll(int exitCode) => SendToAll(Sign.End, exitCode.ToString(CultureInfo.InvariantCulture));

    /// <summary>From now on, an end of a process is no loss.</summary>
    public void Close()
    {
        lock (_lock)
            _closing = true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Close();
        _timer.Dispose();
        lock (_lock)
        {
            foreach (Line line in _lines)
                line.Socket.Dispose();
        }
    }

    private void Listen(Socket socket, int rank, IReadOnlyList<string> hosts)
    {
        socket.NoDelay = true;
        socket.ReceiveTimeout = (int)_silence.TotalMilliseconds;
        socket.SendTimeout = (int)_silence.TotalMilliseconds;
        Line? line = null;
        var reader = new Thread(() => Read(line!)) { IsBackground = true, Name = $"rank {rank}" };
        line = new Line(socket, rank, hosts[rank], reader);
        lock (_lock)
            _lines.Add(line);
        reader.Start();
    }

    private void Read(Line line)
    {
        byte[] head = new byte[1 + sizeof(int)];
        try
        {
            while (true)
            {
                if (!ReadAll(line.Socket, head))
                {
                    Lose(line, "ended: it was killed, or ran out of memory");
                    return;
                }
                int length = BitConverter.ToInt32(head, 1);
                if (length is < 0 or > LongestText)
                    return;
                byte[] text = new byte[length];
                if (!ReadAll(line.Socket, text))
                    continue;
                Take(line, (Sign)head[0], Encoding.UTF8.GetString(text));
            }
        }
        catch (SocketException error) when (error.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
        {
            // A batch system may have stopped all processes for a while, this one too, which then has heard nothing.
            Thread.Sleep(2 * Beat);
            if (Volatile.Read(ref _resumed) is not 0 and var resumed && Stopwatch.GetElapsedTime(resumed) < _silence)
            {
                Read(line);
                return;
            }
            Lose(line, string.Create(
                CultureInfo.InvariantCulture, $"has given no sign of life for {_silence.TotalSeconds:0} s: it hangs, or its "
                + $"machine or network is down"));
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            Lose(line, "ended: it was killed, or ran out of memory");
        }
    }

    private void Take(Line line, Sign sign, string text)
    {
        switch (sign)
        {
            case Sign.Failed:
                int space = text.IndexOf(' ', StringComparison.Ordinal);
                int code = int.Parse(text.AsSpan(0, space), NumberStyles.Integer, CultureInfo.InvariantCulture);
                SetFailure(new TeamException(string.Create(
                    CultureInfo.InvariantCulture, $"Rank {line.Rank} on {line.Host}: {text[(space + 1)..]}"), code));
                break;
            case Sign.Stop:
                _stop();
                break;
            case Sign.End:
                SetFailure(new TeamException(
                    "Rank 0 has ended the work.", int.Parse(text, NumberStyles.Integer, CultureInfo.InvariantCulture)));
                break;
            default:
                break;
        }
    }

    private void Lose(Line line, string how)
    {
        // A process that says why it fails ends afterwards.
        SetFailure(new TeamException(string.Create(
            CultureInfo.InvariantCulture, $"Rank {line.Rank} on {line.Host} {how}; {Remedy}."), TeamException.Lost));
    }

    private void SetFailure(TeamException failure)
    {
        lock (_lock)
        {
            if (!_closing)
                _failure ??= failure;
        }
    }

    private void GiveSign()
    {
        long now = Stopwatch.GetTimestamp();
        if (Stopwatch.GetElapsedTime(Interlocked.Exchange(ref _lastBeat, now), now) > 4 * Beat)
            Volatile.Write(ref _resumed, now);
        SendToAll(Sign.Alive, "");
    }

    private void SendToAll(Sign sign, string text)
    {
        byte[] data = Encoding.UTF8.GetBytes(text.Length > LongestText / 4 ? text[..(LongestText / 4)] : text);
        byte[] frame = [(byte)sign, .. BitConverter.GetBytes(data.Length), .. data];
        Line[] lines;
        lock (_lock)
            lines = [.. _lines];
        foreach (Line line in lines)
        {
            try
            {
                lock (line)
                    line.Socket.Send(frame);
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                // Whoever reads from it notices.
            }
        }
    }

    private static bool ReadAll(Socket socket, Span<byte> data)
    {
        while (data.Length > 0)
        {
            int read = socket.Receive(data);
            if (read == 0)
                return false;
            data = data[read..];
        }
        return true;
    }

    private sealed record Line(Socket Socket, int Rank, string Host, Thread Reader);
}
