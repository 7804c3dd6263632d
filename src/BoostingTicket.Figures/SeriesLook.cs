using ScottPlot;

namespace BoostingTicket.Figures;

/// <summary>How a curve is drawn wherever it appears in a figure.</summary>
/// <param name="Color">Its colour.</param>
/// <param name="Pattern">Its line.</param>
/// <param name="Marker">Its points; <see cref="MarkerShape.None"/> for a level.</param>
internal sealed record SeriesLook(Color Color, LinePattern Pattern, MarkerShape Marker);
