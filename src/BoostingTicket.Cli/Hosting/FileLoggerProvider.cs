using System.Globalization;
using BoostingTicket.Training;
using Microsoft.Extensions.Logging;

namespace BoostingTicket.Cli.Hosting;

/// <summary>Appends log lines to a file, opened with the first of them: time, level, text. A log that cannot be written is
/// given up; no run fails for it.</summary>
/// <param name="path">The file.</param>
internal sealed class FileLoggerProvider(string path) : ILoggerProvider
{
    private readonly Lock _lock = new();
    private StreamWriter? _writer;
    private bool _failed;

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new FileLogger(this);

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _failed = true;
            try
            {
                _writer?.Dispose();
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // A line that could not be written is still in the buffer, and is given up with the log.
            }
            _writer = null;
        }
    }

    private void Append(LogLevel level, string text)
    {
        lock (_lock)
        {
            if (_failed)
                return;
            try
            {
                _writer ??= new StreamWriter(path, append: true) { AutoFlush = true, NewLine = "\n" };
                // A stream writes at its own position; another process, which finds the folder in use, may have written there.
                if (_writer.BaseStream.CanSeek)
                    _writer.BaseStream.Seek(0, SeekOrigin.End);
                _writer.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"{DateTimeOffset.Now:yyyy-MM-ddTHH:mm:ss.fffzzz} {level,-11} {text}"));
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                _failed = true;
            }
        }
    }

    private sealed class FileLogger(FileLoggerProvider provider) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                provider.Append(logLevel, PlainText.Escape(formatter(state, exception).ReplaceLineEndings(" ")));
        }
    }
}
