using BoostingTicket.Cli.Streams;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Training;
using BoostingTicket.Training.Progress;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace BoostingTicket.Cli.Progress;

/// <summary>Redraws one line for the stage in progress, below the lines of stages and epochs that are done.</summary>
internal sealed class LiveProgress : IProgressDisplay
{
    private const int BarWidth = 16;

    // Percentage and the gaps between the columns.
    private const int Others = 8;

    private readonly IAnsiConsole _console;
    private ProgressContext? _context;
    private ProgressTask? _task;
    private StageClock _clock = new(0);
    private string _stage = "";
    private readonly LiveLine _line = new();

    /// <summary>Prepares the display.</summary>
    /// <param name="terminal">Where to.</param>
    public LiveProgress(Terminal terminal) => _console = AnsiConsole.Create(new AnsiConsoleSettings
    {
        Ansi = AnsiSupport.Yes,
        ColorSystem = terminal.Color ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
        Interactive = InteractionSupport.Yes,
        Out = new AnsiConsoleOutput(PlainWriter.Raw(terminal.Error)),
    });

    /// <inheritdoc/>
    public T Show<T>(Func<T> work) => _console.Progress()
        .AutoClear(true)
        .HideCompleted(true)
        .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = BarWidth },
            new PercentageColumn(), new TextColumn(width => _line.Text(width - _stage.Length - BarWidth - Others)))
        .Start(context =>
        {
            _context = context;
            try
            {
                return work();
            }
            finally
            {
                _task?.StopTask();
                _context = null;
            }
        });

    /// <inheritdoc/>
    public void StageStarted(string stage, long totalSteps, long doneSteps)
    {
        _task?.StopTask();
        _stage = stage;
        _line.Begin();
        _clock = new StageClock(totalSteps);
        _task = _context?.AddTask(Shown(stage), maxValue: Math.Max(totalSteps, 1));
        if (_task is not null)
            _task.Value = doneSteps;
    }

    /// <inheritdoc/>
    public void StepsDone(long doneSteps, double samplesPerSecond)
    {
        if (_task is null)
            return;
        // A full bar would be hidden although the stage is not done: validation follows.
        _task.Value = Math.Min(doneSteps, _task.MaxValue - 1e-6);
        _line.Step(doneSteps, _clock.Total, samplesPerSecond, _clock.SecondsLeft(doneSteps));
    }

    /// <inheritdoc/>
    public void RunLeft(double seconds) => _line.RunLeft = seconds;

    /// <inheritdoc/>
    public void EpochDone(EpochRecord epoch, int totalEpochs)
    {
        _line.Epoch(epoch, totalEpochs);
        _console.MarkupLine($"  [grey]{Shown(EpochLine.Of(epoch, totalEpochs))}[/]");
    }

    /// <inheritdoc/>
    public void StageFinished()
    {
        _task?.StopTask();
        _task = null;
        _console.MarkupLine($"[green]✓[/] {Shown(_stage)} [grey]in {Durations.Short(_clock.Elapsed.TotalSeconds)}[/]");
    }

    /// <inheritdoc/>
    public void Note(string text) => _console.MarkupLine(Shown(text));

    /// <inheritdoc/>
    public void Warn(string text) => _console.MarkupLine($"[yellow]Warning:[/] {Shown(text)}");

    // This display draws with escape sequences of its own, so that it must let none of others through.
    private static string Shown(string text) => Markup.Escape(PlainText.Escape(text));

    // Drawn on the display's own thread.
    private sealed class TextColumn(Func<int, string> text) : ProgressColumn
    {
        protected override bool NoWrap => true;

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Markup(Shown(text(options.ConsoleSize.Width)));
    }
}
