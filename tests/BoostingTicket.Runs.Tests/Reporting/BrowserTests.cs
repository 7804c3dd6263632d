using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using BoostingTicket.Runs.Collections;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Runs.Tests.Reporting;

/// <summary>Opens a report in Chromium, which reaches no network, and asks it what a reader sees. A script of the test, behind
/// the report in a copy of it, measures the page and leaves its findings in the document.</summary>
internal sealed partial class BrowserTests
{
    private const string Probe = """
        <script>
        window.addEventListener("load", () => {
          const box = one => { const size = one.getBoundingClientRect(); return Math.min(size.width, size.height); };
          const all = (selector, value) => Array.from(document.querySelectorAll(selector), value);
          const found = {
            title: document.title,
            headings: all("h1, h2", one => one.textContent),
            charts: all("svg", box),
            images: all("img", one => one.complete && one.naturalWidth > 0 ? box(one) : 0),
            requests: performance.getEntriesByType("resource").map(one => one.name).filter(name => !name.startsWith("data:")),
            errors: window.probeErrors,
            background: getComputedStyle(document.body).backgroundColor,
            ink: getComputedStyle(document.body).color,
            cut: all(".scroll", one => one.scrollWidth - one.clientWidth),
            overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
          };
          const result = document.createElement("pre");
          result.id = "probe";
          result.textContent = JSON.stringify(found);
          document.body.append(result);
        });
        </script>
        """;

    private const string Watch =
        """
        <script>
        window.probeErrors = [];
        addEventListener("error", event => window.probeErrors.push(String(event.message)), true);
        </script>
        """;

    [TestCase(false, 1200)]
    [TestCase(true, 1200)]
    [TestCase(false, 500)]
    public void A_reader_sees_headings_charts_and_images_in_either_scheme_and_nothing_is_fetched(bool dark, int width)
    {
        using JsonDocument seen = Open(
            HtmlReport.Write(SampleRun.Create(), "boosting-ticket run", SampleExtras.Create()), dark, width);
        JsonElement page = seen.RootElement;
        Assert.Multiple(() =>
        {
            Assert.That(page.GetProperty("title").GetString(), Does.StartWith("quick: "));
            Assert.That(
                page.GetProperty("headings").EnumerateArray().Skip(1).Select(heading => heading.GetString()), Is.EqualTo(new[]
            {
                "Result", "Training", "Time and ticket", "Robust accuracy by attack", "Images before and after the attack",
                "How it was made",
            }));
            Assert.That(Numbers(page, "charts"), Has.Length.EqualTo(6).And.All.GreaterThan(80));
            Assert.That(Numbers(page, "images"), Has.Length.EqualTo(6).And.All.GreaterThan(30));
            Assert.That(page.GetProperty("requests").GetArrayLength(), Is.Zero);
            Assert.That(page.GetProperty("errors").GetArrayLength(), Is.Zero, page.GetProperty("errors").ToString());
            Assert.That(page.GetProperty("overflow").GetDouble(), Is.LessThanOrEqualTo(0), "the page is wider than the window");
            Assert.That(Brightness(page, "background"), dark ? Is.InRange(0.0, 60.0) : Is.InRange(200.0, 255.0));
            Assert.That(Brightness(page, "ink"), dark ? Is.InRange(200.0, 255.0) : Is.InRange(0.0, 60.0));
        });
    }

    [TestCase(500)]
    [TestCase(800)]
    [TestCase(1280)]
    public void A_result_of_five_seeds_is_not_cut_off_in_a_run_or_in_a_comparison(int width)
    {
        RunResult five = SampleRun.Create(seeds: 5, earlyStopping: true);
        using var folder = new TemporaryFolder();
        string[] runs = [SampleFolder.Write(five, folder["a"]), SampleFolder.Write(SampleRun.Create(2), folder["b"])];
        foreach (string html in (string[])[
            HtmlReport.Write(five, "boosting-ticket run", SampleExtras.Create()),
            ComparisonTables.Page(ComparedRuns.Of(runs), "boosting-ticket compare a b", folder["page"])])
        {
            using JsonDocument seen = Open(html, dark: false, width);
            Assert.That(Numbers(seen.RootElement, "cut"), Is.Not.Empty.And.All.LessThanOrEqualTo(0));
            Assert.That(seen.RootElement.GetProperty("overflow").GetDouble(), Is.LessThanOrEqualTo(0));
        }
    }

    // What a page may show at once: networks, phases, errors, links.
    [TestCase("--page:#fbfbfa")]
    [TestCase("--page:#15171a")]
    public void A_colour_has_one_meaning(string scheme)
    {
        string css = HtmlStyle.Css[HtmlStyle.Css.IndexOf(scheme, StringComparison.Ordinal)..];
        string[] names =
        [
            "dense", "ticket", "winning", "reinit", "shuffle", "donor", "winning-donor", "data", "attack", "train", "evaluate",
            "wrong", "accent", "line",
        ];
        string[] colours = [.. names.Select(name => Regex.Match(css, $"--{name}:(#[0-9a-f]+)").Groups[1].Value)];
        Assert.That(colours, Has.All.Length.GreaterThan(3));
        Assert.That(colours, Is.Unique);
        string[] curves = [.. Enumerable.Range(6, 6).Select(
            index => Regex.Match(css, $"--curve{index}:(#[0-9a-f]+)").Groups[1].Value)];
        Assert.That(curves.Concat(colours[..6]), Is.Unique.And.All.Length.GreaterThan(3));
    }

    private static double[] Numbers(JsonElement page, string name) =>
        [.. page.GetProperty(name).EnumerateArray().Select(value => value.GetDouble())];

    // Mean of red, green and blue of rgb(r, g, b).
    private static double Brightness(JsonElement page, string name) =>
        Digits().Matches(page.GetProperty(name).GetString()!).Take(3).Average(match => double.Parse(
            match.Value, CultureInfo.InvariantCulture));

    private static JsonDocument Open(string html, bool dark, int width)
    {
        string? browser = ((string[])["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]).FirstOrDefault(
            File.Exists);
        if (browser is null)
            Assert.Ignore("Chromium is not installed; Debian has it as the package chromium.");
        using var folder = new TemporaryFolder();
        string page = folder["report.html"];
        File.WriteAllText(page, html.Replace("<head>", "<head>" + Watch, StringComparison.Ordinal).Replace(
            "</main>", "</main>" + Probe, StringComparison.Ordinal));
        var start = new ProcessStartInfo(browser!) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND",
                $"--window-size={width},900", $"--user-data-dir={folder["profile"]}",
                $"--blink-settings=preferredColorScheme={(dark ? 0 : 1)}",
                "--dump-dom", new Uri(page).AbsoluteUri,
            ])
            start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromSeconds(120)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail("Chromium did not end within two minutes.");
        }

        Match probe = Found().Match(output.Result);
        Assert.That(probe.Success, Is.True, $"the page left no findings: {errors.Result}");
        return JsonDocument.Parse(WebUtility.HtmlDecode(probe.Groups[1].Value));
    }

    [GeneratedRegex("<pre id=\"probe\">(.*?)</pre>", RegexOptions.Singleline)]
    private static partial Regex Found();

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Digits();
}
