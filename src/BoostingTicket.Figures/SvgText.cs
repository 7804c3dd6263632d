using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using SkiaSharp;

namespace BoostingTicket.Figures;

/// <summary>Finishes what Skia writes as SVG.</summary>
internal static partial class SvgText
{
    // Verdana and DejaVu Sans are as wide as each other.
    private const string Family = FigureFont.Name + ", Verdana, sans-serif";

    /// <summary>Gives the document its size on paper, its text one position and length instead of a rounded position for each
    /// letter, and its references names that do not depend on what the process drew before.</summary>
    /// <param name="svg">Skia's document.</param>
    /// <param name="width">Width in hundredths of an inch.</param>
    /// <param name="height">Height in hundredths of an inch.</param>
    public static string Settle(string svg, float width, float height)
    {
        XDocument document = XDocument.Parse(Rename(svg));
        XElement root = document.Root!;
        root.SetAttributeValue("width", Text(width / 100) + "in");
        root.SetAttributeValue("height", Text(height / 100) + "in");
        root.SetAttributeValue("viewBox", $"0 0 {Text(width)} {Text(height)}");
        // A cleared canvas, which a browser would paint black.
        root.Descendants(root.Name.Namespace + "rect").Where(
            rect => rect.Parent!.Name.LocalName == "g" && rect.Attribute("fill") is null).Remove();
        foreach (XElement text in root.Descendants(root.Name.Namespace + "text"))
            Settle(text);
        return document.ToString().ReplaceLineEndings("\n") + "\n";
    }

    private static void Settle(XElement text)
    {
        string content = text.Value.Trim();
        using SKFont font = FigureFont.Of(float.Parse((string)text.Attribute("font-size")!, CultureInfo.InvariantCulture));
        text.Value = content;
        text.SetAttributeValue("font-family", Family);
        text.SetAttributeValue("x", First(text, "x"));
        text.SetAttributeValue("y", First(text, "y"));
        text.SetAttributeValue("textLength", Text(font.MeasureText(content)));
    }

    private static string? First(XElement text, string coordinate) => ((string?)text.Attribute(coordinate))?.Split(',')[0].Trim();

    private static string Rename(string svg)
    {
        var names = new Dictionary<string, string>();
        return Reference().Replace(svg, match =>
        {
            if (!names.TryGetValue(match.Value, out string? name))
                names.Add(match.Value, name = FormattableString.Invariant($"{match.Groups[1].Value}_{names.Count}"));
            return name;
        });
    }

    private static string Text(float value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    // Skia's names: a kind and a number that counts on through the process.
    [GeneratedRegex("\\b(cl|gradient|mask|img|pattern)_[0-9a-f]+\\b")]
    private static partial Regex Reference();
}
