using System.Globalization;
using System.Text;
using BoostingTicket.Training;
using BoostingTicket.Training.Evaluation;

namespace BoostingTicket.Runs.Reporting.Html;

/// <summary>Images before and after an attack, and what the attack added, inside the page.</summary>
internal static class PictureGrid
{
    /// <summary>The grid: for each example the image, the adversarial image, and their difference, grey where nothing was changed
    /// and magnified so that ± ε spans black to white.</summary>
    public static string Render(AdversarialExamples examples)
    {
        var html = new StringBuilder("<div class=\"pictures\">");
        foreach (AdversarialExample image in examples.Images)
        {
            string label = PlainText.Name(examples.Classes[image.Label]);
            float scale = 0.5f / (float)Math.Max(examples.Epsilon, 1e-6);
            float[] difference = [.. image.Clean.Zip(image.Adversarial, (before, after) => 0.5f + (scale * (after - before)))];
            html.Append("<figure><div class=\"strip\">")
                .Append(Picture(image.Clean, FormattableString.Invariant($"sample {image.Sample}, {label}")))
                .Append(Picture(image.Adversarial, FormattableString.Invariant($"sample {image.Sample} after the attack")))
                .Append(Picture(difference, FormattableString.Invariant($"what the attack added to sample {image.Sample}")))
                .Append("</div><figcaption>")
                .Append(Caption(label, image.CleanClass, image.Label))
                .Append(Caption("attacked", image.AdversarialClass, image.Label))
                .Append(CultureInfo.InvariantCulture, $"<span>difference × {scale:0.#}</span></figcaption></figure>\n");
        }

        return html.Append("</div>\n").ToString();

        string Picture(float[] pixels, string what) =>
            $"<img width=\"{examples.Width}\" height=\"{examples.Height}\" alt=\"{HtmlPage.Encode(what)}\" "
            + $"src=\"{PngImage.DataUri(pixels, examples.Channels, examples.Height, examples.Width)}\"/>";

        string Caption(string what, int seen, int label)
        {
            string kind = seen == label ? "" : " class=\"wrong\"", shown = PlainText.Name(examples.Classes[seen]);
            return $"<span>{HtmlPage.Encode(what)}<br/><span{kind}>→ {HtmlPage.Encode(shown)}</span></span>";
        }
    }
}
