using ScottPlot;
using SkiaSharp;

namespace BoostingTicket.Figures;

/// <summary>The one font of every figure. It travels inside the assembly: a machine without fonts draws text, and every machine
/// draws the same.</summary>
internal sealed class FigureFont : IFontResolver
{
    /// <summary>Its name, whatever else is asked for.</summary>
    public const string Name = "DejaVu Sans";

    private static readonly Lazy<SKTypeface> Loaded = new(Load);

    private FigureFont()
    {
    }

    /// <summary>The font.</summary>
    public static SKTypeface Typeface => Loaded.Value;

    /// <summary>The font in a size, glyphs placed where their outlines want them rather than on whole pixels.</summary>
    public static SKFont Of(float size) =>
        new(Typeface, size) { Subpixel = true, LinearMetrics = true, Hinting = SKFontHinting.None };

    /// <summary>Makes ScottPlot use it alone. Calling it again changes nothing.</summary>
    public static void Register()
    {
        lock (Loaded)
        {
            if (Fonts.FontResolvers.Any(resolver => resolver is FigureFont))
                return;
            Fonts.FontResolvers.Insert(0, new FigureFont());
            Fonts.Default = Name;
        }
    }

    /// <inheritdoc/>
    public SKTypeface? CreateTypeface(string fontName, FontWeight weight, FontSlant slant, FontSpacing spacing) => Typeface;

    /// <inheritdoc/>
    public SKTypeface? CreateTypeface(string fontName, bool bold, bool italic) => Typeface;

    private static SKTypeface Load()
    {
        using Stream stream = typeof(FigureFont).Assembly.GetManifestResourceStream("DejaVuSans.ttf")
            ?? throw new InvalidOperationException("The assembly was built without its font.");
        return SKTypeface.FromStream(stream);
    }
}
