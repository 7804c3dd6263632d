using System.Text;
using BoostingTicket.Runs.Reporting.Figures;
using SkiaSharp;

namespace BoostingTicket.Figures;

/// <summary>Draws figures with ScottPlot. Equal figures give equal bytes, and no display and no installed font are
/// needed.</summary>
internal static class FigureRenderer
{
    /// <summary>Pixels for each hundredth of an inch: 300 dots an inch.</summary>
    private const float Scale = 3;

    /// <summary>The figure as a PNG image, 300 dots an inch.</summary>
    /// <exception cref="ArgumentException">The figure has no panel.</exception>
    public static byte[] Png(FigureData figure)
    {
        ArgumentNullException.ThrowIfNull(figure);
        var painter = new FigurePainter(figure);
        using var surface = SKSurface.Create(new SKImageInfo(
            (int)(painter.Width * Scale), (int)(painter.Height * Scale), SKColorType.Rgba8888, SKAlphaType.Opaque));
        surface.Canvas.Scale(Scale);
        painter.Draw(surface.Canvas);
        using SKImage image = surface.Snapshot();
        using SKData data = image.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }

    /// <summary>The figure as an SVG document, whose text stays text: in DejaVu Sans, or where that is missing in what is as
    /// wide.</summary>
    /// <exception cref="ArgumentException">The figure has no panel.</exception>
    public static string Svg(FigureData figure)
    {
        ArgumentNullException.ThrowIfNull(figure);
        var painter = new FigurePainter(figure);
        using var stream = new MemoryStream();
        using (SKCanvas canvas = SKSvgCanvas.Create(SKRect.Create(painter.Width, painter.Height), stream))
            painter.Draw(canvas);
        return SvgText.Settle(Encoding.UTF8.GetString(stream.ToArray()), painter.Width, painter.Height);
    }
}
