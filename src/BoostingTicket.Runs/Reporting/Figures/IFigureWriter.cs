namespace BoostingTicket.Runs.Reporting.Figures;

/// <summary>Draws figures into files. The library leaves drawing to whoever brings a drawing library.</summary>
internal interface IFigureWriter
{
    /// <summary>Draws a figure.</summary>
    /// <param name="figure">The figure.</param>
    /// <param name="folder">Folder that receives its files, named after <see cref="FigureData.Name"/>.</param>
    /// <returns>The files.</returns>
    IReadOnlyList<string> Write(FigureData figure, string folder);
}
