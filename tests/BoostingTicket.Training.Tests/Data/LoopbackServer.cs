using System.Net;
using System.Net.Sockets;
using System.Text;

namespace BoostingTicket.Training.Tests.Data;

/// <summary>A small HTTP server on the loopback device that serves files, ranges of them, and failures on demand.</summary>
internal sealed class LoopbackServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _serving;

    public LoopbackServer()
    {
        _listener.Start();
        _serving = Task.Run(ServeAsync);
    }

    /// <summary>What is served, by path.</summary>
    public Dictionary<string, byte[]> Files { get; } = [];

    /// <summary>The requests so far: path, and the range asked for or an empty string.</summary>
    public List<string> Requests { get; } = [];

    /// <summary>For coming requests, one each: after how many bytes of the body to cut the connection.</summary>
    public Queue<int> Cuts { get; } = new();

    /// <summary>Whether ranges are served; if not, the whole file is sent whatever is asked.</summary>
    public bool Ranges { get; set; } = true;

    /// <summary>Whether a range is answered with another one than was asked for.</summary>
    public bool WrongRange { get; set; }

    /// <summary>Whether to send the headers and then nothing.</summary>
    public bool Stall { get; set; }

    public Uri Address(string path) => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/{path}");

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Stop();
        _serving.Wait();
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                using TcpClient client = await _listener.AcceptTcpClientAsync(_stop.Token).ConfigureAwait(false);
                await AnswerAsync(client).ConfigureAwait(false);
            }
            catch (Exception error) when (error is OperationCanceledException or SocketException or IOException)
            {
                // The client went away or the test is over; the next request is served, or the loop ends.
            }
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        NetworkStream stream = client.GetStream();
        using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
        string path = (await reader.ReadLineAsync(_stop.Token).ConfigureAwait(false))!.Split(' ')[1].TrimStart('/');
        string range = "";
        while (await reader.ReadLineAsync(_stop.Token).ConfigureAwait(false) is { Length: > 0 } header)
        {
            if (header.StartsWith("Range: ", StringComparison.OrdinalIgnoreCase))
                range = header["Range: ".Length..];
        }

        Requests.Add($"{path} {range}".TrimEnd());
        if (!Files.TryGetValue(path, out byte[]? file))
        {
            await SendAsync(stream, "404 Not Found", 0, "", []).ConfigureAwait(false);
            return;
        }

        int start = range.Length > 0 && Ranges
            ? int.Parse(range["bytes=".Length..^1], System.Globalization.CultureInfo.InvariantCulture)
            : 0;
        if (start > 0 && start >= file.Length)
        {
            await SendAsync(
                stream, "416 Range Not Satisfiable", 0, $"Content-Range: bytes */{file.Length}\r\n", []).ConfigureAwait(false);
            return;
        }

        int claimed = WrongRange ? start + 1 : start;
        string extra = start > 0 ? $"Content-Range: bytes {claimed}-{file.Length - 1}/{file.Length}\r\n" : "";
        int sent = Stall ? 0 : Cuts.TryDequeue(out int cut) ? Math.Min(cut, file.Length - start) : file.Length - start;
        await SendAsync(stream, start > 0
            ? "206 Partial Content"
            : "200 OK", file.Length - start, extra, file[start..(start + sent)]).ConfigureAwait(false);
        if (Stall)
            await Task.Delay(Timeout.Infinite, _stop.Token).ConfigureAwait(false);
    }

    private async Task SendAsync(NetworkStream stream, string status, int length, string extra, byte[] body)
    {
        string head = $"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{extra}Connection: close\r\n\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head), _stop.Token).ConfigureAwait(false);
        await stream.WriteAsync(body, _stop.Token).ConfigureAwait(false);
        await stream.FlushAsync(_stop.Token).ConfigureAwait(false);
    }
}
