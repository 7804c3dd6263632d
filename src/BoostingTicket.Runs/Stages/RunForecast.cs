using System.Globalization;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Optimization.Methods;

namespace BoostingTicket.Runs.Stages;

/// <summary>Estimates how long a run still takes, over all its seeds, arms and tests. Stages are compared by their multiply-adds
/// before anything is measured; a stage of a kind that was measured in this process is taken to be as fast as that one, any other
/// as fast as all that was measured. Early stopping and a test of best weights that are the last make it shorter.</summary>
/// <param name="parts">The stages, in their order.</param>
internal sealed class RunForecast(IReadOnlyList<ForecastPart> parts)
{
    private const int TrainingPasses = 3, AttackPasses = 2;

    // Below that share of a stage, its own speed says less than that of others.
    private const double LeastShare = 0.02;

    private readonly Dictionary<string, (double Work, double Seconds)> _measured = [];
    private int _current = -1;
    private double _shareAtStart;
    private double _share;
    private double _seconds;

    /// <summary>A stage begins. Stages before it that did not begin are not needed.</summary>
    /// <param name="title">Its title.</param>
    /// <param name="share">What earlier processes did of it, in [0, 1].</param>
    public void Started(string title, double share)
    {
        Close();
        int next = Math.Max(_current, -1) + 1;
        int found = Enumerable.Range(next, parts.Count - next).FirstOrDefault(index => parts[index].Title == title, -1);
        if (found < 0)
            return;
        (_current, _shareAtStart, _share, _seconds) = (found, share, share, 0);
    }

    /// <summary>The stage that began has come so far.</summary>
    /// <param name="share">Done of it, in [0, 1].</param>
    /// <param name="seconds">Seconds since it began here.</param>
    public void Reached(double share, double seconds) => (_share, _seconds) = (share, seconds);

    /// <summary>Seconds left; null while nothing was measured.</summary>
    public double? SecondsLeft()
    {
        if (_current < 0)
            return null;
        double own = parts[_current].Work * (_share - _shareAtStart);
        bool known = _share - _shareAtStart >= LeastShare && _seconds > 0;
        double work = _measured.Values.Sum(one => one.Work) + (known ? own : 0);
        double seconds = _measured.Values.Sum(one => one.Seconds) + (known ? _seconds : 0);
        if (!(work > 0))
            return null;
        double left = 0;
        for (int index = _current; index < parts.Count; index++)
        {
            ForecastPart part = parts[index];
            bool current = index == _current;
            (double Work, double Seconds) kind = _measured.GetValueOrDefault(part.Kind);
            if (known && part.Kind == parts[_current].Kind)
                kind = (kind.Work + own, kind.Seconds + _seconds);
            if (current && known)
                kind = (own, _seconds);
            double pace = kind.Work > 0 ? kind.Seconds / kind.Work : seconds / work;
            left += pace * part.Work * (current ? 1 - _share : 1);
        }
        return Math.Max(left, 0);
    }

    /// <summary>The stages of a whole run.</summary>
    /// <param name="configuration">What is asked for.</param>
    /// <param name="data">Numbers of samples.</param>
    /// <param name="graph">The model.</param>
    public static RunForecast Of(RunConfiguration configuration, RunData data, NetworkGraph graph)
    {
        var parts = new List<ForecastPart>();
        for (int index = 0; index < configuration.Seeds; index++)
        {
            ulong seed = configuration.Seed + (ulong)index;
            if (configuration.Arms.Any(arm => arm is Arm.Ticket or Arm.Reinit or Arm.Shuffle))
                AddDonor(SeedRun.DonorStage, configuration.Donor);
            if (configuration.Arms.Contains(Arm.Winning))
                AddDonor(SeedRun.WinningDonorStage, configuration.WinningDonor);
            foreach (Arm arm in configuration.Arms)
            {
                string stage = SettingNames.Of(arm);
                parts.AddRange(Stage(
                    configuration, arm == Arm.Dense ? configuration.Dense : configuration.Retrain, seed, stage, data, graph));
            }

            void AddDonor(string donor, TrainingSettings settings)
            {
                int rounds = configuration.Pruning.Rounds;
                for (int round = 1; round <= rounds; round++)
                    parts.Add(Training(configuration, settings, seed, SeedRun.StageOf(donor, round, rounds), data, graph));
                parts.Add(Test(configuration, seed, donor, "last", data, graph));
            }
        }
        return new RunForecast(parts);
    }

    /// <summary>The stages of one training alone.</summary>
    /// <param name="configuration">What is asked for.</param>
    /// <param name="settings">The training.</param>
    /// <param name="stage">Its stage.</param>
    /// <param name="data">Numbers of samples.</param>
    /// <param name="graph">The model.</param>
    public static RunForecast Of(
        RunConfiguration configuration, TrainingSettings settings, string stage, RunData data, NetworkGraph graph) =>
        new([.. Stage(configuration, settings, configuration.Seed, stage, data, graph)]);

    private static IEnumerable<ForecastPart> Stage(
        RunConfiguration configuration, TrainingSettings settings, ulong seed, string stage, RunData data, NetworkGraph graph) =>
    [
        Training(configuration, settings, seed, stage, data, graph), Test(configuration, seed, stage, "last", data, graph),
        Test(configuration, seed, stage, "best", data, graph),
    ];

    private static ForecastPart Training(
        RunConfiguration configuration, TrainingSettings settings, ulong seed, string stage, RunData data, NetworkGraph graph)
    {
        int attackSteps = TrainingMethodCatalog.Find(settings.Method).AttackSteps(settings, configuration.Attack);
        int validated = configuration.Data.ValidationSamples, probed = configuration.Evaluation.ProbeSamples;
        probed = configuration.Evaluation.ProbeSteps == 0 ? 0 : probed == 0 ? validated : Math.Min(probed, validated);
        double images = (double)settings.Epochs * (
            ((data.TrainCount - validated) * (double)(TrainingPasses + (AttackPasses * attackSteps))) + validated
            + ((double)probed * AttackPasses * configuration.Evaluation.ProbeSteps / configuration.Evaluation.ProbeEvery));
        string kind = string.Create(CultureInfo.InvariantCulture, $"{settings.Method} of {settings.BatchSize}");
        return new ForecastPart(StageTrainer.Title(seed, stage, settings), kind, images * graph.MultiplyAdds);
    }

    private static ForecastPart Test(
        RunConfiguration configuration, ulong seed, string stage, string weights, RunData data, NetworkGraph graph)
    {
        var attack = configuration.Evaluation.Attack;
        double passes = 1 + ((double)AttackPasses * attack.Steps * attack.Restarts);
        return new ForecastPart(
            StageTester.Title(seed, stage, weights), "test", passes * data.TestCount * graph.MultiplyAdds);
    }

    private void Close()
    {
        if (_current < 0 || !(_seconds > 0))
            return;
        (double work, double seconds) = _measured.GetValueOrDefault(parts[_current].Kind);
        _measured[parts[_current].Kind] = (work + (parts[_current].Work * (_share - _shareAtStart)), seconds + _seconds);
        _seconds = 0;
    }
}

/// <summary>A stage of a run.</summary>
/// <param name="Title">What progress calls it.</param>
/// <param name="Kind">What is about as fast as it.</param>
/// <param name="Work">Its multiply-adds, for comparing it with others; 0 for a training without epochs.</param>
internal sealed record ForecastPart(string Title, string Kind, double Work);
