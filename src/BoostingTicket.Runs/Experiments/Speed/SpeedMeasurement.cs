using BoostingTicket.Runs.Reporting;
using BoostingTicket.Runs.Reporting.Figures;
using BoostingTicket.Training.Evaluation;

namespace BoostingTicket.Runs.Experiments.Speed;

/// <summary>Compares courses of training with those of the full network.</summary>
internal static class SpeedMeasurement
{
    /// <summary>Share of the full network's robust accuracy whose time is given beside that of all of it. Two trainings that are
    /// as good differ by some tenths of a point, and the lower one never reaches the other.</summary>
    public const double NearlyEqual = 0.95;

    /// <summary>Compares.</summary>
    /// <param name="courses">Trainings of the experiment, which are done.</param>
    /// <param name="store">The store.</param>
    /// <param name="others">Points of trainings that other programs did.</param>
    /// <param name="warnings">Receives what of them cannot be used, a sentence each.</param>
    public static SpeedResult Measure(
        IReadOnlyList<GridCourse> courses, ExperimentStore store, IReadOnlyList<CoursePoint> others, ICollection<string> warnings)
    {
        List<Trained> own =
        [
            .. courses.Select(course => new Trained(course.Points(store), course.AutoAttack?.Read(store))),
        ];
        List<string> models = [.. courses.Select(course => course.Model).Distinct()];
        List<Trained> all = [.. own, .. Usable(others, own, warnings)];
        return new SpeedResult(
        [
            .. all.GroupBy(trained => (trained.First.Model, trained.First.Arm)).Select(group => new SpeedRow(
                group.Key.Model, group.Key.Arm, group.Key.Arm == SpeedArms.Dense || !SpeedArms.Names.Contains(group.Key.Arm),
                [
                    .. group.OrderBy(trained => trained.First.Seed).Select(
                        trained => Seed(trained, Dense(own, trained.First)!)),
                ])).OrderBy(row => models.IndexOf(row.Model)),
        ],
        [.. all.SelectMany(trained => trained.Points)]);
    }

    /// <summary>The curves: accuracy with and without an attack against seconds of processors, or against seconds that passed
    /// where a GPU trained; two plots a network.</summary>
    public static FigureData Figure(SpeedResult result, string name, string title)
    {
        var panels = new List<FigurePanel>();
        char letter = 'a';
        foreach (string model in result.Rows.Select(row => row.Model).Distinct())
        {
            foreach ((string y, Func<CoursePoint, double> value) in new (string, Func<CoursePoint, double>)[]
            {
                ("accuracy under PGD (%)", point => point.Robust),
                ("accuracy without an attack (%)", point => point.Clean),
            })
            {
                panels.Add(new FigurePanel(
                    $"({letter++}) {model}",
                    $"seconds {(result.OnGpu ? "that passed" : "of processors")}, donor included", y,
                    [.. result.Rows.Where(row => row.Model == model).Select(row => new FigureSeries(
                        row.Arm, [.. Curve(result, row, value)],
                        row.IsBaseline ? FigureStyle.Dashed : FigureStyle.Solid))]));
            }
        }

        return new FigureData(name, title, panels);
    }

    private static IEnumerable<FigurePoint> Curve(SpeedResult result, SpeedRow row, Func<CoursePoint, double> value) =>
        from point in result.Points
        where point.Model == row.Model && point.Arm == row.Arm
        group point by point.Epoch into epoch
        where epoch.Count() == row.Seeds.Count
        let y = Spread.Of([.. epoch.Select(point => 100 * value(point))])
        orderby epoch.Key
        select new FigurePoint(
            epoch.Average(point => result.OnGpu ? point.Seconds.Wall : point.Seconds.Processor), y.Mean,
            y.Count > 1 ? y.Deviation : null);

    private static SpeedSeed Seed(Trained trained, Trained dense)
    {
        CoursePoint end = trained.Points[^1];
        double target = dense.Points[^1].Robust;
        return new SpeedSeed(
            end.Seed, target, Crossing.Of(trained.Points, target), Crossing.Of(trained.Points, NearlyEqual * target), end.Seconds,
            end.Epoch, end.Clean, end.Robust, trained.AutoAttack?.WorstCase)
        {
            AutoAttackSamples = trained.AutoAttack?.Samples,
        };
    }

    private static Trained? Dense(List<Trained> own, CoursePoint like) => own.FirstOrDefault(
        trained => trained.First.Arm == SpeedArms.Dense && trained.First.Model == like.Model && trained.First.Seed == like.Seed);

    private static IEnumerable<Trained> Usable(
        IReadOnlyList<CoursePoint> others, List<Trained> own, ICollection<string> warnings)
    {
        foreach (var group in others.GroupBy(point => (point.Model, point.Arm, point.Seed)))
        {
            string name = FormattableString.Invariant($"{group.Key.Model}, {group.Key.Arm}, seed {group.Key.Seed}");
            CoursePoint[] points = [.. group];
            Trained? dense = Dense(own, points[0]);
            string? reason =
                SpeedArms.Names.Contains(group.Key.Arm) ? "its name is that of one of the experiment's own"
                : dense is null ? "the experiment has no such network and seed"
                : points.Any(point => point.Samples != dense.First.Samples)
                    ? FormattableString.Invariant($"it was not measured on {dense.First.Samples} test images")
                : null;
            if (reason is not null)
            {
                warnings.Add($"The training {name} of another program is left out, since {reason}.");
                continue;
            }
            if (points.Length < dense!.Points.Count)
                warnings.Add(FormattableString.Invariant(
                    $"The training {name} of another program has {points.Length} of {dense.Points.Count} epochs."));
            yield return new Trained(points, null);
        }
    }

    private sealed record Trained(IReadOnlyList<CoursePoint> Points, RobustnessResult? AutoAttack)
    {
        public CoursePoint First => Points[0];
    }
}
