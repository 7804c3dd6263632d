namespace BoostingTicket.Training.Reporting.Figures;

/// <summary>Draws figures into files. The library says what a figure is; what draws it is given by who runs an experiment.</summary>
public interface IFigureWriter
{
    /// <summary>Writes the figure in every format the writer has, each file whole or not at all.</summary>
    /// <param name="figure">The figure.</param>
    /// <param name="folder">Folder, which exists.</param>
    /// <returns>The files' paths.</returns>
    /// <exception cref="ArgumentException">The figure has no panel.</exception>
    /// <exception cref="ConfigurationException">A file cannot be written.</exception>
    IReadOnlyList<string> Write(FigureData figure, string folder);
}
