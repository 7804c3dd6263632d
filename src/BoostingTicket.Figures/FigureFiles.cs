using BoostingTicket.Runs.Reporting.Figures;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Figures;

/// <summary>Figures as <c>NAME.png</c> and <c>NAME.svg</c>.</summary>
internal sealed class FigureFiles : IFigureWriter
{
    /// <inheritdoc/>
    public IReadOnlyList<string> Write(FigureData figure, string folder)
    {
        ArgumentNullException.ThrowIfNull(figure);
        string png = Path.Combine(folder, figure.Name + ".png"), svg = Path.Combine(folder, figure.Name + ".svg");
        byte[] pixels = FigureRenderer.Png(figure);
        AtomicFile.Write(png, stream => stream.Write(pixels));
        AtomicFile.WriteAllText(svg, FigureRenderer.Svg(figure));
        return [png, svg];
    }
}
