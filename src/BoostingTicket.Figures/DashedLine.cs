using ScottPlot;
using SkiaSharp;

namespace BoostingTicket.Figures;

/// <summary>A dashed line through points of a panel, each dash an outline of its own. ScottPlot's own dashed lines leave the
/// dashes in the paint of the markers that follow, which Skia's SVG canvas does not support and says so on standard
/// error.</summary>
/// <param name="points">Its points in the axes' units; the line breaks at a point that is not finite.</param>
/// <param name="width">Width in hundredths of an inch.</param>
/// <param name="look">Its colour and dashes.</param>
internal sealed class DashedLine(IReadOnlyList<Coordinates> points, float width, SeriesLook look) : IPlottable
{
    /// <inheritdoc/>
    public bool IsVisible { get; set; } = true;

    /// <inheritdoc/>
    public IAxes Axes { get; set; } = new Axes();

    /// <inheritdoc/>
    public IEnumerable<LegendItem> LegendItems => [];

    /// <summary>None: the panel sets its own limits.</summary>
    public AxisLimits GetAxisLimits() => AxisLimits.NoLimits;

    /// <summary>Draws it; ScottPlot has clipped the canvas to the data area.</summary>
    public void Render(RenderPack rp)
    {
        ArgumentNullException.ThrowIfNull(rp);
        using var line = new SKPath();
        bool open = false;
        foreach (Coordinates point in points)
        {
            if (!double.IsFinite(point.X) || !double.IsFinite(point.Y))
            {
                open = false;
                continue;
            }

            SKPoint pixel = Axes.GetPixel(point).ToSKPoint();
            if (open)
                line.LineTo(pixel);
            else
                line.MoveTo(pixel);
            open = true;
        }

        Draw(rp.Canvas, line, width, look);
    }

    /// <summary>Fills the outlines of a line's dashes; of a solid line, its one outline.</summary>
    /// <param name="canvas">Where to.</param>
    /// <param name="line">The line, in the canvas's units.</param>
    /// <param name="width">Its width, in the canvas's units.</param>
    /// <param name="look">Its colour and dashes.</param>
    public static void Draw(SKCanvas canvas, SKPath line, float width, SeriesLook look)
    {
        using SKPathEffect? dashes = look.Pattern.GetPathEffect();
        using var stroke = new SKPaint { IsStroke = true, StrokeWidth = width, PathEffect = dashes };
        using SKPath? outlines = stroke.GetFillPath(line);
        if (outlines is null)
            return;
        using var fill = new SKPaint { Color = look.Color.ToSKColor(), IsAntialias = true };
        canvas.DrawPath(outlines, fill);
    }
}
