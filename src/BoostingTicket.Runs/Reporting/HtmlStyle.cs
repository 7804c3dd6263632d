namespace BoostingTicket.Runs.Reporting;

/// <summary>The look of the HTML report: light and dark, from a phone to a wide screen.</summary>
internal static class HtmlStyle
{
    // One colour has one meaning in a page. Networks have colours of Okabe and Ito, which people with any colour vision can tell
    // apart; phases of a step are shades of one violet; an error is red. Curves of figures are numbered, and have the networks'
    // colours and more, since a page with a figure names no network by colour.
    private const string Rules = """
        :root{color-scheme:light dark;--page:#fbfbfa;--card:#fff;--ink:#1d1f23;--soft:#5b616b;--line:#e3e5e8;--accent:#3b4a8f;
        --dense:#0072b2;--ticket:#d55e00;--winning:#009e73;--reinit:#b0569b;--shuffle:#b8860b;--donor:#7d828c;
        --winning-donor:#5f7d72;
        --curve6:#56b4e9;--curve7:#8c564b;--curve8:#cc3366;--curve9:#556b2f;--curve10:#4b3f9e;--curve11:#00a3a3;
        --data:#d9d4ec;--attack:#4f3d92;--train:#8675c4;--evaluate:#b3a8dd;--wrong:#c0182f;--warn:#fff4e0;--warn-ink:#7a4b00}
        @media(prefers-color-scheme:dark){:root{--page:#15171a;--card:#1d2024;--ink:#e8eaed;--soft:#a3a9b3;--line:#33373d;
        --accent:#9fb0ff;
        --dense:#56b4e9;--ticket:#f08a3c;--winning:#2fc296;--reinit:#d98cc6;--shuffle:#e0b040;--donor:#969ca6;
        --winning-donor:#8fb0a3;
        --curve6:#9ad4f5;--curve7:#c79a8f;--curve8:#ff7aa5;--curve9:#a3c266;--curve10:#a99cff;--curve11:#4fd6d6;
        --data:#4a4466;--attack:#b7a6ff;--train:#8b7bd0;--evaluate:#655a98;--wrong:#ff6b7d;--warn:#3a2c12;--warn-ink:#ffd899}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
        main{max-width:1180px;margin:0 auto;padding:24px 16px 64px}
        h1{font-size:1.6rem;line-height:1.25;margin:.2em 0}
        h2{font-size:1.1rem;margin:2.2em 0 .7em}
        h3{font-size:1rem;margin:1.3em 0 .6em}
        .sub{color:var(--soft);margin:0}
        .finding{font-size:1.08rem;border-left:4px solid var(--accent);padding:.3em 0 .3em .9em;margin:1.4em 0}
        .card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 16px}
        .scroll{overflow-x:auto}
        table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
        th,td{padding:.45em .6em;text-align:left;border-bottom:1px solid var(--line)}
        th{vertical-align:bottom}td{vertical-align:top}
        td.n,tr[data-arm] td:first-child{white-space:nowrap}
        tr:last-child td{border-bottom:0}
        th{font-weight:600;color:var(--soft);font-size:.86rem}
        .n{text-align:right}
        .best{font-weight:700}
        td .key{margin-right:.55em}
        .key{display:inline-block;width:.8em;height:.8em;border-radius:2px;vertical-align:-.05em}
        .note{color:var(--soft);font-size:.88rem;margin:.6em 2px 0}
        .legend{display:flex;flex-wrap:wrap;gap:.3em 1.3em;margin:0 0 .8em;font-size:.92rem}
        .card .legend{margin:.8em 0 0}
        .legend .key{margin-right:.45em}
        .grid2{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,420px),1fr));gap:14px}
        .state{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:.7em 1em;margin:1.2em 0}
        .warn{background:var(--warn);color:var(--warn-ink);border-radius:8px;padding:.6em .9em;margin:.5em 0}
        details{margin:.6em 0}summary{cursor:pointer;color:var(--accent)}
        pre{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:8px;padding:12px;
        font-size:.85rem;line-height:1.4}
        code{font-family:ui-monospace,SFMono-Regular,Consolas,monospace}
        dl{display:grid;grid-template-columns:max-content 1fr;gap:.25em 1.2em;margin:0}
        dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
        @media(max-width:560px){dl{grid-template-columns:1fr}dd{margin:0 0 .5em}}
        svg{display:block;width:100%;height:auto}
        svg text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:var(--soft)}
        svg .title{font-size:14px;font-weight:600;fill:var(--ink)}
        svg .end{text-anchor:end}svg .middle{text-anchor:middle}
        svg .grid{stroke:var(--line);stroke-width:1}
        svg .curve{fill:none;stroke-width:2.2;stroke-linejoin:round}
        svg .faint{stroke-width:1;opacity:.35}
        svg .point{opacity:.9}
        .dense{stroke:var(--dense);fill:var(--dense)}.ticket{stroke:var(--ticket);fill:var(--ticket)}
        .winning{stroke:var(--winning);fill:var(--winning)}.reinit{stroke:var(--reinit);fill:var(--reinit)}
        .shuffle{stroke:var(--shuffle);fill:var(--shuffle)}.donor{stroke:var(--donor);fill:var(--donor)}
        svg .donor.curve,svg .winning-donor.curve,svg .dashed.curve{stroke-dasharray:5 4}
        svg .level.curve{stroke-dasharray:1.5 3}
        svg .band{stroke:none;opacity:.16}
        .winning-donor{stroke:var(--winning-donor);fill:var(--winning-donor)}.key.winning-donor{background:var(--winning-donor)}
        .series0{stroke:var(--dense);fill:var(--dense)}
        .key.series0{background:var(--dense)}.key.line.series0{--key:var(--dense)}
        .series1{stroke:var(--ticket);fill:var(--ticket)}
        .key.series1{background:var(--ticket)}.key.line.series1{--key:var(--ticket)}
        .series2{stroke:var(--winning);fill:var(--winning)}
        .key.series2{background:var(--winning)}.key.line.series2{--key:var(--winning)}
        .series3{stroke:var(--reinit);fill:var(--reinit)}
        .key.series3{background:var(--reinit)}.key.line.series3{--key:var(--reinit)}
        .series4{stroke:var(--shuffle);fill:var(--shuffle)}
        .key.series4{background:var(--shuffle)}.key.line.series4{--key:var(--shuffle)}
        .series5{stroke:var(--donor);fill:var(--donor)}
        .key.series5{background:var(--donor)}.key.line.series5{--key:var(--donor)}
        .series6{stroke:var(--curve6);fill:var(--curve6)}
        .key.series6{background:var(--curve6)}.key.line.series6{--key:var(--curve6)}
        .series7{stroke:var(--curve7);fill:var(--curve7)}
        .key.series7{background:var(--curve7)}.key.line.series7{--key:var(--curve7)}
        .series8{stroke:var(--curve8);fill:var(--curve8)}
        .key.series8{background:var(--curve8)}.key.line.series8{--key:var(--curve8)}
        .series9{stroke:var(--curve9);fill:var(--curve9)}
        .key.series9{background:var(--curve9)}.key.line.series9{--key:var(--curve9)}
        .series10{stroke:var(--curve10);fill:var(--curve10)}
        .key.series10{background:var(--curve10)}.key.line.series10{--key:var(--curve10)}
        .series11{stroke:var(--curve11);fill:var(--curve11)}
        .key.series11{background:var(--curve11)}.key.line.series11{--key:var(--curve11)}
        .key.line{height:0;width:1.5em;border-top:2.5px solid;border-color:var(--key);background:none;vertical-align:.25em}
        .key.line.dashed{border-top-style:dashed}.key.line.level{border-top-style:dotted}
        a{color:var(--accent)}
        .pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(225px,1fr));gap:14px}
        .pictures figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:10px}
        .pictures .strip{display:grid;
        grid-template-columns:repeat(3,1fr);gap:6px}
        .pictures img{display:block;width:100%;height:auto;image-rendering:pixelated;border-radius:4px;background:#888}
        .pictures figcaption{color:var(--soft);font-size:.82rem;line-height:1.35;margin-top:6px;display:grid;
        grid-template-columns:repeat(3,1fr);gap:6px}
        .pictures .wrong{color:var(--wrong);font-weight:600}
        svg rect{stroke:none}
        .phase-data{fill:var(--data)}.phase-attack{fill:var(--attack)}.phase-train{fill:var(--train)}
        .phase-evaluate{fill:var(--evaluate)}
        .kept{fill:var(--ticket)}.pruned{fill:var(--line)}
        .key.dense{background:var(--dense)}.key.ticket{background:var(--ticket)}.key.winning{background:var(--winning)}
        .key.reinit{background:var(--reinit)}.key.shuffle{background:var(--shuffle)}.key.donor{background:var(--donor)}
        .key.phase-data{background:var(--data)}.key.phase-attack{background:var(--attack)}
        .key.phase-train{background:var(--train)}.key.phase-evaluate{background:var(--evaluate)}
        .key.kept{background:var(--ticket)}.key.pruned{background:var(--line)}
        """;

    /// <summary>The style sheet.</summary>
    public static string Css { get; } = Rules + Stacked("table", 560) + Stacked("table.wide", 1000);

    // Where a table's columns do not fit beside each other, its rows become lists, with the header before each cell.
    private static string Stacked(string table, int width) =>
        $$$"""

        @media(max-width:{{{width}}}px){
        {{{table}}},{{{table}}} tbody{display:block}{{{table}}} thead{display:none}
        {{{table}}} tr{display:block;padding:.6em 0;border-bottom:1px solid var(--line)}{{{table}}} tr:last-child{border-bottom:0}
        {{{table}}} td{display:flex;justify-content:space-between;gap:1em;border:0;padding:.12em 0;text-align:right;
        overflow-wrap:anywhere}
        {{{table}}} td br{display:none}
        {{{table}}} td::before{content:attr(data-head);color:var(--soft);font-size:.86rem;text-align:left;flex:none;max-width:60%}
        {{{table}}} td:first-child{font-weight:600;justify-content:flex-start;text-align:left;align-items:baseline;gap:.2em}
        {{{table}}} td:first-child::before{content:none}
        }
        """;
}
