using System.Globalization;
using System.Text;
using BoostingTicket.Runs.Reporting.Html;

namespace BoostingTicket.Runs.Reporting.Charts;

/// <summary>Part of a bar.</summary>
/// <param name="Value">Length, not negative.</param>
/// <param name="Style">CSS class that gives the colour.</param>
/// <param name="Name">What it is, for those who point at it.</param>
internal sealed record BarPart(double Value, string Style, string Name);

/// <summary>A bar of one or more parts.</summary>
/// <param name="Label">Text at its left.</param>
/// <param name="Parts">Its parts, from the left.</param>
/// <param name="Note">Text at its right.</param>
internal sealed record Bar(string Label, IReadOnlyList<BarPart> Parts, string Note);

/// <summary>Horizontal bars as an SVG image that takes its colours from the page.</summary>
/// <param name="title">Title.</param>
/// <param name="bars">The bars, from the top.</param>
/// <param name="full">Length of a full bar; 0 for the longest bar's.</param>
internal sealed class BarChart(string title, IReadOnlyList<Bar> bars, double full = 0)
{
    private const double Width = 480, Top = 34, Right = 92, Pitch = 22, Thickness = 14, CharacterWidth = 6.6;

    /// <summary>The image; null when there is no bar.</summary>
    public string? Render()
    {
        double length = full > 0 ? full : bars.Select(bar => bar.Parts.Sum(part => part.Value)).DefaultIfEmpty().Max();
        if (!(length > 0))
            return null;
        double left = Math.Min(10 + (bars.Max(bar => bar.Label.Length) * CharacterWidth), 230);
        double height = Top + (bars.Count * Pitch) + 4;
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture,
            $"<svg viewBox=\"0 0 {Width} {height}\" role=\"img\" aria-label=\"{Encode(title)}\"><text class=\"title\" x=\"0\" "
            + $"y=\"18\">{Encode(title)}</text>");
        for (int row = 0; row < bars.Count; row++)
        {
            double y = Top + (row * Pitch);
            svg.Append(CultureInfo.InvariantCulture,
                $"<text class=\"tick end\" x=\"{left - 6:F1}\" y=\"{y + 11:F1}\">{Encode(bars[row].Label)}</text>");
            double x = left;
            foreach (BarPart part in bars[row].Parts)
            {
                double width = part.Value / length * (Width - left - Right);
                svg.Append(CultureInfo.InvariantCulture,
                    $"<rect class=\"{part.Style}\" x=\"{x:F1}\" y=\"{y:F1}\" width=\"{Math.Max(width, 0):F2}\" "
                    + $"height=\"{Thickness}\"><title>{Encode(part.Name)}</title></rect>");
                x += width;
            }

            svg.Append(CultureInfo.InvariantCulture,
                $"<text class=\"tick\" x=\"{x + 6:F1}\" y=\"{y + 11:F1}\">{Encode(bars[row].Note)}</text>");
        }

        return svg.Append("</svg>").ToString();
    }

    private static string Encode(string text) => HtmlPage.Encode(text);
}
