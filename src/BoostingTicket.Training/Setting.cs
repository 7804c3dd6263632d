using System.Text;

namespace BoostingTicket.Training;

/// <summary>Names of settings inside messages. A message marks each setting that it names, by its path in a configuration
/// (<c>dense.learningRate</c>) or by the name of another input (<c>out</c>). <see cref="Exception.Message"/> shows the paths;
/// a program with names of its own, such as options, puts those in their place
/// (<see cref="BoostingTicketException.MessageWith"/>).</summary>
internal static class Setting
{
    // Noncharacters, which Unicode reserves for use inside a process: no text holds them, and no text shows them.
    private const char Start = '\uFDD0';
    private const char End = '\uFDD1';

    /// <summary>A setting as part of a message.</summary>
    /// <param name="path">Its names from the root on, with dots between; from the record that is checked on where that is not
    /// known to be part of another.</param>
    public static string Named(string path) => $"{Start}{path}{End}";

    /// <summary>A message with every setting called by a name.</summary>
    /// <param name="message">A message that may name settings.</param>
    /// <param name="nameOf">The name of a path.</param>
    public static string Show(string message, Func<string, string> nameOf)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(nameOf);
        var shown = new StringBuilder(message.Length);
        int done = 0;
        foreach ((int start, int end) in Marks(message))
        {
            shown.Append(message, done, start - done).Append(nameOf(message[(start + 1)..end]));
            done = end + 1;
        }
        return shown.Append(message, done, message.Length - done).ToString();
    }

    /// <summary>The paths of the settings that a message names, in order, each once.</summary>
    internal static IReadOnlyList<string> PathsIn(string message) =>
        [.. Marks(message).Select(mark => message[(mark.Start + 1)..mark.End]).Distinct()];

    private static IEnumerable<(int Start, int End)> Marks(string message)
    {
        for (int start = message.IndexOf(Start); start >= 0; start = message.IndexOf(Start, start + 1))
        {
            int end = message.IndexOf(End, start);
            if (end < 0)
                yield break;
            yield return (start, end);
            start = end;
        }
    }
}
