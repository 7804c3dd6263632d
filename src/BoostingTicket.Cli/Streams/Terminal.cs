using System.Runtime.InteropServices;

namespace BoostingTicket.Cli.Streams;

/// <summary>Where the program writes.</summary>
/// <param name="Out">Results.</param>
/// <param name="Error">Progress, notes and errors.</param>
/// <param name="IsErrorInteractive">Whether <paramref name="Error"/> is a terminal on which lines can be redrawn.</param>
/// <param name="Color">Whether results may be coloured.</param>
/// <param name="Width">Columns that help and tables may take.</param>
internal sealed partial record Terminal(TextWriter Out, TextWriter Error, bool IsErrorInteractive, bool Color, int Width)
{
    private const int UsualWidth = 100;
    private const int LeastWidth = 40;
    private const int MostWidth = 120;
    private const nuint LinuxGetWindowSize = 0x5413;

    /// <summary>The same without anything that is no plain text: no colours, and no lines that are redrawn.</summary>
    public Terminal Plain => this with { Color = false, IsErrorInteractive = false };

    /// <summary>The process's own standard streams; <c>NO_COLOR</c> and <c>TERM=dumb</c> are respected. Touches nothing that
    /// would send a terminal an escape sequence.</summary>
    public static Terminal OfProcess()
    {
        bool plain = Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 }
            || Environment.GetEnvironmentVariable("TERM") == "dumb";
        return new Terminal(
            new ResultWriter(new StandardStream(StandardStream.Output)),
            new ProgressWriter(new StandardStream(StandardStream.Error)),
            !plain && !Console.IsErrorRedirected, !plain && !Console.IsOutputRedirected, WidthOfOutput());
    }

    // Console.WindowWidth would initialise the terminal.
    private static int WidthOfOutput()
    {
        if (Console.IsOutputRedirected)
            return UsualWidth;
        int columns = OperatingSystem.IsWindows() ? Console.WindowWidth
            : OperatingSystem.IsLinux() && GetWindowSize(StandardStream.Output, LinuxGetWindowSize, out WindowSize size) == 0
                ? size.Columns
            : UsualWidth;
        return columns < LeastWidth ? UsualWidth : Math.Min(columns, MostWidth);
    }

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int GetWindowSize(int descriptor, nuint request, out WindowSize size);

    private readonly record struct WindowSize(ushort Rows, ushort Columns, ushort Width, ushort Height);
}
