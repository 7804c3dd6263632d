namespace BoostingTicket.Cli;

/// <summary>Where the program writes.</summary>
/// <param name="Out">Results.</param>
/// <param name="Error">Progress, notes and errors.</param>
/// <param name="IsErrorInteractive">Whether <paramref name="Error"/> is a terminal on which lines can be redrawn.</param>
/// <param name="Color">Whether results may be coloured.</param>
/// <param name="Width">Columns that help and tables may take.</param>
internal sealed record Terminal(TextWriter Out, TextWriter Error, bool IsErrorInteractive, bool Color, int Width)
{
    private const int UsualWidth = 100;

    /// <summary>The process's own console; <c>NO_COLOR</c> and <c>TERM=dumb</c> are respected.</summary>
    public static Terminal OfProcess()
    {
        bool plain = Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 }
            || Environment.GetEnvironmentVariable("TERM") == "dumb";
        bool interactive = !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") != "dumb";
        return new Terminal(Console.Out, Console.Error, interactive, !plain && !Console.IsOutputRedirected, WidthOfConsole());
    }

    private static int WidthOfConsole()
    {
        try
        {
            return Console.IsOutputRedirected || Console.WindowWidth < 40 ? UsualWidth : Math.Min(Console.WindowWidth, 120);
        }
        catch (IOException)
        {
            return UsualWidth;
        }
    }
}
