using System.Text;
using BoostingTicket.Training;

namespace BoostingTicket.Cli.Streams;

/// <summary>Writes results. What is written is kept until <see cref="Flush"/>, so that a result arrives whole.</summary>
/// <param name="stream">Where to.</param>
internal sealed class ResultWriter(Stream stream) : TextWriter
{
    private readonly StringBuilder _text = new();

    /// <inheritdoc/>
    public override Encoding Encoding { get; } = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);

    /// <inheritdoc/>
    public override void Write(char value) => _text.Append(value);

    /// <inheritdoc/>
    public override void Write(string? value) => _text.Append(value);

    /// <inheritdoc/>
    public override void Write(char[] buffer, int index, int count) => _text.Append(buffer, index, count);

    /// <summary>Hands on what was written; what cannot be is given up.</summary>
    /// <exception cref="ConfigurationException">It cannot be written there.</exception>
    public override void Flush()
    {
        if (_text.Length == 0)
            return;
        byte[] bytes = Encoding.GetBytes(_text.ToString());
        _text.Clear();
        try
        {
            stream.Write(bytes);
            stream.Flush();
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or UnauthorizedAccessException)
        {
            throw new ConfigurationException(
                $"The result cannot be written to standard output: {Reason(error)}; what has a folder of its own (--out) is kept "
                + "there, and the same command with --resume shows it again.", error);
        }
    }

    private static string Reason(Exception error)
    {
        string message = error.Message.ReplaceLineEndings(" ").TrimEnd('.', ' ');
        return message.Length == 0 ? "it is closed" : char.ToLowerInvariant(message[0]) + message[1..];
    }
}

/// <summary>Writes progress, notes and errors as they come, and gives up quietly where they cannot be written: no work ends
/// because nobody can watch it.</summary>
/// <param name="stream">Where to.</param>
internal sealed class ProgressWriter(Stream stream) : TextWriter
{
    private readonly Lock _lock = new();
    private bool _failed;

    /// <inheritdoc/>
    public override Encoding Encoding { get; } = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);

    /// <inheritdoc/>
    public override void Write(char value) => Write([value], 0, 1);

    /// <inheritdoc/>
    public override void Write(string? value) => Write((value ?? "").AsSpan());

    /// <inheritdoc/>
    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    /// <inheritdoc/>
    public override void WriteLine(string? value) => Write(value + NewLine);

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<char> buffer)
    {
        byte[] bytes = new byte[Encoding.GetByteCount(buffer)];
        Encoding.GetBytes(buffer, bytes);
        lock (_lock)
        {
            if (_failed)
                return;
            try
            {
                stream.Write(bytes);
                stream.Flush();
            }
            catch (Exception error) when (error is IOException or ObjectDisposedException or UnauthorizedAccessException)
            {
                _failed = true;
            }
        }
    }
}
