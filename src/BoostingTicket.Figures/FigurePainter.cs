using BoostingTicket.Runs.Reporting;
using BoostingTicket.Runs.Reporting.Figures;
using ScottPlot;
using SkiaSharp;

namespace BoostingTicket.Figures;

/// <summary>Lays a figure out: title, one legend for all panels, panels in a grid in reading order.</summary>
internal sealed class FigurePainter
{
    // Units are hundredths of an inch: text of 10 units is 7 points on paper.
    private const float PanelWidth = 330, PanelHeight = 250, Margin = 10, TitleRow = 18, TitleGap = 10, LegendRow = 19,
    PanelTitle = 24, PanelIndent = 8;
    private const float KeyWidth = 26, KeyGap = 6, EntryGap = 18, TitleSize = 13, PanelTitleSize = 11.5f, LegendSize = 10.5f;

    private readonly FigureData _figure;
    private readonly IReadOnlyList<(string Name, SeriesLook Look)> _looks;
    private readonly List<List<(string Name, SeriesLook Look)>> _legend;
    private readonly List<string> _title;
    private readonly int _columns;
    private readonly float _legendTop;

    /// <summary>Prepares to draw a figure.</summary>
    /// <exception cref="ArgumentException">The figure has no panel.</exception>
    public FigurePainter(FigureData figure)
    {
        if (figure.Panels.Count == 0)
            throw new ArgumentException($"The figure '{figure.Name}' has no panel.", nameof(figure));
        FigureFont.Register();
        _figure = figure;
        _looks = SeriesLooks.Of(figure);
        _columns = Columns(figure.Panels.Count);
        int rows = (figure.Panels.Count + _columns - 1) / _columns;
        Width = (_columns * PanelWidth) + (2 * Margin);
        _title = TitleLines(Width - (2 * Margin));
        _legend = LegendRows(Width - (2 * Margin));
        _legendTop = Margin + (_title.Count * TitleRow) + TitleGap;
        Height = _legendTop + (_legend.Count * LegendRow) + (rows * PanelHeight) + Margin;
    }

    /// <summary>Width in hundredths of an inch.</summary>
    public float Width { get; }

    /// <summary>Height in hundredths of an inch.</summary>
    public float Height { get; }

    /// <summary>Draws the figure at the canvas's origin.</summary>
    public void Draw(SKCanvas canvas)
    {
        using var background = new SKPaint { Color = SKColors.White };
        canvas.DrawRect(0, 0, Width, Height, background);
        for (int line = 0; line < _title.Count; line++)
            Text(canvas, _title[line], Margin, Margin + (line * TitleRow) + 14, TitleSize);
        DrawLegend(canvas);
        float top = _legendTop + (_legend.Count * LegendRow);
        var looks = _looks.ToDictionary(entry => entry.Name, entry => entry.Look);
        for (int index = 0; index < _figure.Panels.Count; index++)
        {
            float left = Margin + (index % _columns * PanelWidth), upper = top + (index / _columns * PanelHeight);
            Text(canvas, _figure.Panels[index].Title, left + PanelIndent, upper + PanelTitle - 6, PanelTitleSize);
            // ScottPlot clears its canvas first: only the panel's part of it.
            canvas.Save();
            canvas.ClipRect(SKRect.Create(left, upper + PanelTitle, PanelWidth, PanelHeight - PanelTitle));
            using Plot plot = PanelPlot.Make(_figure.Panels[index], looks);
            plot.Render(canvas, new PixelRect(left, left + PanelWidth, upper + PanelHeight, upper + PanelTitle));
            canvas.Restore();
        }
    }

    /// <summary>Columns of a grid: up to three panels side by side, four as two by two.</summary>
    internal static int Columns(int panels) => panels switch
    {
        <= 3 => panels,
        4 => 2,
        _ => 3,
    };


    private static void Text(SKCanvas canvas, string text, float x, float baseline, float size)
    {
        using SKFont font = FigureFont.Of(size);
        using var paint = new SKPaint { Color = SeriesLooks.Ink.ToSKColor(), IsAntialias = true };
        canvas.DrawText(text, x, baseline, font, paint);
    }

    private static float EntryWidth(string name, SKFont font) => KeyWidth + KeyGap + font.MeasureText(name) + EntryGap;

    // Characters a line from the title's mean width.
    private List<string> TitleLines(float width)
    {
        using SKFont font = FigureFont.Of(TitleSize);
        float whole = font.MeasureText(_figure.Title);
        return whole <= width
            ? [_figure.Title]
            : TextWrap.Lines(_figure.Title, Math.Max(1, (int)(0.92f * width / whole * _figure.Title.Length)));
    }

    private List<List<(string Name, SeriesLook Look)>> LegendRows(float width)
    {
        using SKFont font = FigureFont.Of(LegendSize);
        var rows = new List<List<(string, SeriesLook)>>();
        float used = float.PositiveInfinity;
        foreach ((string name, SeriesLook look) in _looks)
        {
            float entry = EntryWidth(name, font);
            if (used + entry - EntryGap > width)
            {
                rows.Add([]);
                used = 0;
            }

            rows[^1].Add((name, look));
            used += entry;
        }

        return rows;
    }

    private void DrawLegend(SKCanvas canvas)
    {
        using SKFont font = FigureFont.Of(LegendSize);
        float middle = _legendTop + (LegendRow / 2) - 3;
        foreach (List<(string Name, SeriesLook Look)> row in _legend)
        {
            float x = Margin;
            foreach ((string name, SeriesLook look) in row)
            {
                DrawKey(canvas, x, middle, look);
                Text(canvas, name, x + KeyWidth + KeyGap, middle + 4, LegendSize);
                x += EntryWidth(name, font);
            }

            middle += LegendRow;
        }
    }

    private static void DrawKey(SKCanvas canvas, float x, float y, SeriesLook look)
    {
        using var line = new SKPath();
        line.MoveTo(x, y);
        line.LineTo(x + KeyWidth, y);
        DashedLine.Draw(canvas, line, 1.6f, look);
        using Paint paint = Paint.NewDisposablePaint();
        if (look.Marker != MarkerShape.None)
            Drawing.DrawMarker(canvas, paint, new Pixel(x + (KeyWidth / 2), y), new MarkerStyle(look.Marker, 5.5f, look.Color));
    }
}
