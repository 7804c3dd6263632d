using System.Globalization;
using BoostingTicket.Runs.Reporting.Html;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Reporting.TensorBoard;

/// <summary>TensorBoard's event files of a run: a folder for each seed, in it one for each stage, so that TensorBoard lays the
/// curves of stages over each other. Steps are epochs. What an interrupted process did not write is added by the next.</summary>
/// <param name="root">The folder of all.</param>
internal sealed class EventFolder(string root)
{
    private const string LossTag = "loss/training", Examples = "examples";

    private EventFile? _open;
    private string? _opened;
    private readonly List<EpochRecord> _history = [];

    /// <summary>Folder of a stage.</summary>
    public string Folder(ulong seed, string stage) =>
        Path.Combine(root, string.Create(CultureInfo.InvariantCulture, $"seed-{seed}"), stage);

    /// <summary>A training begins or goes on.</summary>
    /// <param name="training">The training.</param>
    /// <param name="history">Epochs that it has behind it.</param>
    /// <exception cref="ConfigurationException">A file cannot be written.</exception>
    public void Start(WatchedTraining training, IReadOnlyList<EpochRecord> history)
    {
        Close();
        _history.Clear();
        _history.AddRange(history);
        string folder = Folder(training.Seed, training.Stage);
        if (history.Count > 0 || EventFile.Any(folder))
            Open(folder, training.Layers);
    }

    /// <summary>An epoch ended.</summary>
    /// <exception cref="ConfigurationException">A file cannot be written; the next epoch tries again.</exception>
    public void Add(WatchedTraining training, EpochRecord epoch)
    {
        _history.Add(epoch);
        string folder = Folder(training.Seed, training.Stage);
        if (_opened != folder)
            Open(folder, training.Layers);
        else
            Write(Epoch(epoch, training.Layers));
    }

    /// <summary>A stage is done: adds its test, its images, and what earlier processes left out.</summary>
    /// <param name="seed">Its seed.</param>
    /// <param name="stage">Its name.</param>
    /// <param name="result">What it came to.</param>
    /// <param name="examples">Images before and after the attack; null for none.</param>
    /// <exception cref="ConfigurationException">A file cannot be written.</exception>
    public void Finish(ulong seed, string stage, ArmResult result, AdversarialExamples? examples)
    {
        string folder = Folder(seed, stage);
        if (_opened != folder)
        {
            Close();
            List<EventMessage> before = EventFile.ReadAll(folder);
            if (Contiguous(before) >= result.History.Count
                && before.Any(message => message.Values.Any(value => value.Tag == TestClean)))
                return;
            _history.Clear();
            _history.AddRange(result.History);
            Open(folder, [new LayerSparsity("all", 1_000_000, (int)Math.Round(1_000_000 * (1 - result.Sparsity)))]);
        }
        long last = result.EpochsRun;
        if (examples is not null)
        {
            Write(Message(last) with
            {
                Values = [.. examples.Images.SelectMany(image => Pictures(examples, image))],
            });
        }
        Write(Message(last) with
        {
            Values =
            [
                new EventValue(TestClean, result.Best.Clean), new EventValue("test/best_robust", result.Best.Robust),
                new EventValue("test/last_clean", result.Last.Clean), new EventValue("test/last_robust", result.Last.Robust),
            ],
        });
        Close();
    }

    private const string TestClean = "test/best_clean";

    /// <summary>Ends the file of this process.</summary>
    public void Close()
    {
        _open?.Dispose();
        (_open, _opened) = (null, null);
    }

    /// <summary>Images that a stage keeps; null where there are none, or where they are damaged, which the report says.</summary>
    public static AdversarialExamples? Kept(string path)
    {
        try
        {
            return File.Exists(path) ? AdversarialExamples.Load(path) : null;
        }
        catch (BoostingTicketException)
        {
            return null;
        }
    }

    // A new file, which takes back what is no longer true of older ones and holds what they lack.
    private void Open(string folder, IReadOnlyList<LayerSparsity> layers)
    {
        Close();
        bool first = !EventFile.Any(folder);
        int known = Math.Min(first ? 0 : Contiguous(EventFile.ReadAll(folder)), _history.Count);
        (_open, _opened) = (new EventFile(folder), folder);
        Write(Message(0) with { IsVersion = true });
        if (!first)
            Write(Message(known + 1) with { IsStart = true });
        foreach (EpochRecord epoch in _history.Skip(known))
            Write(Epoch(epoch, layers));
    }

    private void Write(EventMessage message)
    {
        try
        {
            _open!.Add(message);
        }
        catch
        {
            // A file with a torn record takes no more; the next epoch begins another.
            Close();
            throw;
        }
    }

    // Epochs from the first on that files hold without a gap.
    private static int Contiguous(List<EventMessage> events)
    {
        HashSet<long> steps =
            [.. events.Where(message => message.Values.Any(value => value.Tag == LossTag)).Select(message => message.Step)];
        int last = 0;
        while (steps.Contains(last + 1))
            last++;
        return last;
    }

    private static EventMessage Epoch(EpochRecord epoch, IReadOnlyList<LayerSparsity> layers) => Message(epoch.Epoch) with
    {
        Values =
        [
            new EventValue(LossTag, epoch.TrainLoss),
            new EventValue("accuracy/training", epoch.TrainAccuracy),
            new EventValue("accuracy/validation_clean", epoch.ValidationClean),
            .. epoch.ValidationRobust is { } robust ? [new EventValue("accuracy/validation_robust", robust)] : (EventValue[])[],
            new EventValue("learning_rate", epoch.LearningRate),
            new EventValue("seconds/data", epoch.Times.Data),
            new EventValue("seconds/attack", epoch.Times.Attack),
            new EventValue("seconds/training", epoch.Times.Train),
            new EventValue("seconds/validation", epoch.Times.Evaluate),
            new EventValue("seconds/epoch", epoch.Times.Training + epoch.Times.Evaluate),
            .. layers.Select(layer => new EventValue(
                $"sparsity/{layer.Name}", layer.Total == 0 ? 0 : 1 - ((double)layer.Kept / layer.Total))),
        ],
    };

    private static IEnumerable<EventValue> Pictures(AdversarialExamples examples, AdversarialExample image)
    {
        yield return Picture("clean", image.Clean);
        yield return Picture("adversarial", image.Adversarial);

        EventValue Picture(string what, float[] pixels) => new(
            string.Create(CultureInfo.InvariantCulture, $"{Examples}/{image.Sample}_{what}"), null,
            new EventImage(
                examples.Height, examples.Width, examples.Channels,
                PngImage.Encode(pixels, examples.Channels, examples.Height, examples.Width)));
    }

    private static EventMessage Message(long step) =>
        new(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1_000.0, step);
}
