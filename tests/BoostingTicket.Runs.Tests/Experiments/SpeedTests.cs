using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments;
using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Runs.Experiments.Reports;
using BoostingTicket.Runs.Experiments.Speed;
using BoostingTicket.Runs.Reporting;
using BoostingTicket.Runs.Reporting.Figures;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Runs.Tests.Experiments;

/// <summary>Time to equal robustness, without training anything.</summary>
internal sealed class SpeedTests
{
    private const string Header = "model,arm,seed,epoch,processor_seconds,wall_seconds,clean,robust,test_samples\n";

    private static CoursePoint[] Course(params (double Processor, double Robust)[] epochs) =>
    [
        .. epochs.Select((epoch, index) => new CoursePoint(
            "resnet18-w16", "dense", 0, index + 1, new ElapsedSeconds(epoch.Processor, epoch.Processor / 2), 0.9, epoch.Robust,
            100)),
    ];

    [Test]
    public void An_accuracy_is_reached_on_the_line_between_two_epochs() =>
        Assert.That(
            Crossing.Of(Course((10, 0.1), (30, 0.2), (50, 0.4), (70, 0.3)), 0.25)!.Value.Processor, Is.EqualTo(35).Within(1e-9));

    [Test]
    public void An_accuracy_is_reached_at_the_end_of_the_first_epoch_with_as_much() =>
        Assert.That(Crossing.Of(Course((10, 0.1), (30, 0.2), (50, 0.2)), 0.2), Is.EqualTo(new ElapsedSeconds(30, 15)));

    [Test]
    public void What_the_first_epoch_has_is_reached_at_its_end() =>
        Assert.That(Crossing.Of(Course((10, 0.3), (30, 0.1)), 0.2), Is.EqualTo(new ElapsedSeconds(10, 5)));

    [Test]
    public void What_no_epoch_has_is_not_reached() =>
        Assert.That(Crossing.Of(Course((10, 0.1), (30, 0.2)), 0.21), Is.Null);

    [Test]
    public void Points_are_read_as_they_were_written()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "points.csv");
        CoursePoint[] points =
        [
            .. Course((0.1 + 0.2, 1.0 / 3), (30, 0.2)),
            new("vgg16-w16", "TorchSharp float32", ulong.MaxValue, 1, new ElapsedSeconds(1e-5, 1e-6), 1, 0, 1),
        ];
        File.WriteAllText(path, CourseFile.Write(points));
        Assert.That(CourseFile.Read(path), Is.EqualTo(points));
        Assert.That(CourseFile.ReadAll(folder.Path), Is.EqualTo(points));
        Assert.That(CourseFile.ReadAll(Path.Combine(folder.Path, "none")), Is.Empty);
    }

    [TestCase("", "in line 1, the header is not")]
    [TestCase("model,arm\n", "in line 1, the header is not")]
    [TestCase(Header + "m,a,0,1,1,1,0.5\n", "in line 2, it does not have 9 fields")]
    [TestCase(Header + "m,\"a,0\",0,1,1,1,0.5,0.5,9\n", "in line 2, it does not have 9 fields")]
    [TestCase(Header + ",a,0,1,1,1,0.5,0.5,9\n", "in line 2, model is '', not a short name")]
    [TestCase(Header + "m,a\u001b,0,1,1,1,0.5,0.5,9\n", "in line 2, arm is 'a\\u001B', not a short name")]
    [TestCase(Header + "m,a,-1,1,1,1,0.5,0.5,9\n", "in line 2, seed is '-1', not a whole number")]
    [TestCase(Header + "m,a,0,0,1,1,0.5,0.5,9\n", "in line 2, epoch is '0', not a whole number from 1 on")]
    [TestCase(Header + "m,a,0,1,NaN,1,0.5,0.5,9\n", "in line 2, processor_seconds is 'NaN', not a number of seconds above 0")]
    [TestCase(Header + "m,a,0,1,1,-1,0.5,0.5,9\n", "in line 2, wall_seconds is '-1', not a number of seconds above 0")]
    [TestCase(Header + "m,a,0,1,0,1,0.5,0.5,9\n", "in line 2, processor_seconds is '0', not a number of seconds above 0")]
    [TestCase(Header + "m,a,0,1,1,0,0.5,0.5,9\n", "in line 2, wall_seconds is '0', not a number of seconds above 0")]
    [TestCase(Header + "m,a,0,1,1,1,50,0.5,9\n", "in line 2, clean is '50', not a share from 0 to 1")]
    [TestCase(Header + "m,a,0,1,1,1,0.5,x,9\n", "in line 2, robust is 'x', not a share from 0 to 1")]
    [TestCase(Header + "m,a,0,2,1,1,0.5,0.5,9\n", "in line 2, epoch 2 comes after epoch 0 of its training")]
    [TestCase(Header + "m,a,0,1,2,2,0.5,0.5,9\n\nm,a,0,2,1,3,0.5,0.5,9\n", "in line 4, a time is less")]
    public void Points_that_cannot_be_are_refused_with_their_line(string text, string expected)
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "points.csv");
        File.WriteAllText(path, text);
        var error = Assert.Throws<DamagedFileException>(() => CourseFile.Read(path));
        Assert.That(error!.Message, Does.StartWith($"The table of epochs {path} cannot be read: ").And.Contain(expected)
            .And.EndWith("write it again, or take it out of its folder."));
    }

    [Test]
    public void A_training_in_two_files_is_refused_with_both()
    {
        using var folder = new TemporaryFolder();
        string first = Path.Combine(folder.Path, "a.csv"), second = Path.Combine(folder.Path, "b.csv");
        CoursePoint[] points = [.. Course((10, 0.1), (20, 0.2))];
        File.WriteAllText(first, CourseFile.Write(points));
        File.WriteAllText(second, CourseFile.Write(points.Select(point => point with { Arm = "other" }).Concat(points)));
        string expected = $"The training resnet18-w16, dense, seed 0 is in two files, {first} and {second}; take one of them out "
            + "of the folder, or name the arm of one differently.";
        Assert.That(
            Assert.Throws<ConfigurationException>(() => CourseFile.ReadAll(folder.Path))!.Message, Is.EqualTo(expected));
        var warnings = new List<string>();
        Assert.That(CourseFile.ReadAll(folder.Path, warnings.Add), Is.EqualTo(points));
        Assert.That(warnings, Is.EqualTo(new[] { $"{expected} The result goes without it; repeat the command afterwards." }));
    }

    [Test]
    public void A_file_that_cannot_be_used_at_the_end_is_left_out_and_named()
    {
        using var folder = new TemporaryFolder();
        string good = Path.Combine(folder.Path, "good.csv"), half = Path.Combine(folder.Path, "half.csv"),
            lost = Path.Combine(folder.Path, "lost.csv");
        CoursePoint[] points = [.. Course((10, 0.1), (20, 0.2))];
        File.WriteAllText(good, CourseFile.Write(points));
        File.WriteAllText(half, CourseFile.Write(points)[..^20]);
        File.CreateSymbolicLink(lost, Path.Combine(folder.Path, "nowhere"));
        Assert.Throws<DamagedFileException>(() => CourseFile.ReadAll(folder.Path));
        var warnings = new List<string>();
        Assert.That(CourseFile.ReadAll(folder.Path, warnings.Add), Is.EqualTo(points));
        Assert.That(warnings.Select(warning => warning.Split(folder.Path)[1][1..5]), Is.EqualTo(new[] { "half", "lost" }));
    }

    [Test]
    public void A_folder_that_cannot_be_listed_is_named()
    {
        if (OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess)
        {
            Assert.Ignore("every folder can be listed here");
            return;
        }

        using var folder = new TemporaryFolder();
        File.SetUnixFileMode(folder.Path, UnixFileMode.None);
        try
        {
            var error = Assert.Throws<ConfigurationException>(() => CourseFile.ReadAll(folder.Path));
            Assert.That(error!.Message, Does.StartWith($"Cannot read {folder.Path}: "));
            var warnings = new List<string>();
            Assert.That(CourseFile.ReadAll(folder.Path, warnings.Add), Is.Empty);
            Assert.That(warnings, Has.Count.EqualTo(1));
        }
        finally
        {
            File.SetUnixFileMode(folder.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private static ExperimentGrid Declare(GridFingerprints fingerprints, params string[] arms)
    {
        var sources = new ExperimentSources("speed", null, []) { Arms = arms.Length == 0 ? null : string.Join(',', arms) };
        ExperimentConfiguration configuration = sources.Compose() with { Epochs = 5 };
        IExperiment experiment = ExperimentCatalog.Find("speed");
        var grid = new ExperimentGrid(configuration, experiment.LongestEpochs, fingerprints);
        experiment.Declare(grid);
        return grid;
    }

    [Test]
    public void Arms_differ_from_the_full_network_in_what_they_are_named_for()
    {
        ExperimentGrid grid = Declare(new GridFingerprints("train", "test", "train, shorter"));
        List<GridCourse> courses = [.. grid.Courses.Where(course => course.Model == "resnet18-w16")];
        TrainingNode Of(string arm) => courses.Single(course => course.Arm == arm).Training;
        TrainingNode dense = Of("dense"), ticket = Of("ticket");
        Assert.Multiple(() =>
        {
            Assert.That(grid.Courses.Select(course => course.Model).Distinct(), Is.EqualTo(
                new[] { "resnet18-w16", "vgg16-w16" }));
            Assert.That(courses.Select(course => course.Arm), Is.EqualTo(SpeedArms.Names));
            Assert.That((dense.Settings.Method, dense.Settings.Epochs, dense.Settings.LearningRateDecay), Is.EqualTo(
                (TrainingMethod.Pgd, 5, LearningRateDecay.Linear)));
            Assert.That((dense.Job.Data.TrainSamples, dense.Job.Data.ValidationSamples), Is.EqualTo((0, 100)));
            Assert.That(
                courses.Where(course => course.Training.Settings.Method != TrainingMethod.Pgd).Select(course => course.Arm),
                Is.EqualTo(new[] { "fast" }));
            Assert.That(
                Of("fast").Settings with { Method = TrainingMethod.Pgd }, Is.EqualTo(dense.Settings), "but for the attack");
            Assert.That(Of("fast").Settings.Method, Is.EqualTo(TrainingMethod.NFgsm));
            Assert.That((ticket.Ticket!.Donor.Settings.Method, ticket.Ticket.Donor.Settings.Epochs, ticket.Ticket.Settings.Ratio),
                Is.EqualTo((TrainingMethod.Fgsm, 5, 0.8)));
            Assert.That(Of("ticket-short").Settings.Epochs, Is.EqualTo(2));
            Assert.That(Of("cost").Ticket!.Settings.Scope, Is.EqualTo("cost"));
            Assert.That((Of("channel").Ticket!.Settings.Structure, Of("channel").Ticket!.Settings.Ratio), Is.EqualTo(
                ("channel", 0.5)));
            Assert.That(
                ((TrainingNode[])[Of("ticket-short"), Of("cost"), Of("channel")]).Select(node => node.Ticket!.Donor),
                Is.All.SameAs(ticket.Ticket.Donor), "one donor serves them all");
            Assert.That(Of("n-fgsm").Ticket!.Donor.Settings.Method, Is.EqualTo(TrainingMethod.NFgsm));
            Assert.That(Of("free").Ticket!.Donor.Settings.MethodOptions.Replays, Is.EqualTo(4));
            Assert.That(Of("bf16").Settings, Is.EqualTo(dense.Settings));
            Assert.That(Of("bf16").Key, Is.Not.EqualTo(dense.Key));
        });
    }

    [Test]
    public void Without_bfloat16_its_arm_is_left_out_and_the_reason_said()
    {
        ExperimentGrid grid = Declare(new GridFingerprints("train", "test", null, "there is no such processor"));
        Assert.That(grid.Courses.Select(course => course.Arm).Distinct(), Is.EqualTo(SpeedArms.Names.SkipLast(1)));
        Assert.That(grid.Warnings, Is.EqualTo(new[] { "The arm bf16 is left out: there is no such processor." }));
    }

    [Test]
    public void The_full_network_is_always_there_and_arms_are_no_part_of_the_settings()
    {
        ExperimentGrid grid = Declare(new GridFingerprints("train", "test"), "ticket");
        Assert.That(grid.Courses.Select(course => course.Arm).Distinct(), Is.EqualTo(new[] { "dense", "ticket" }));
        ExperimentConfiguration all = new ExperimentSources("speed", null, []).Compose();
        Assert.That(
            SettingsIdentity.Hash((all with { Arms = ["ticket"], AttackedSamples = 5 }).WithAllArms()),
            Is.EqualTo(SettingsIdentity.Hash(all.WithAllArms())));
        Assert.That(
            SettingsIdentity.Hash((all with { Epochs = 5 }).WithAllArms()),
            Is.Not.EqualTo(SettingsIdentity.Hash(all.WithAllArms())));
    }

    [Test]
    public void Multiples_are_of_seeds_in_which_both_get_there()
    {
        SpeedSeed Seed(ulong seed, double? reached, double? nearly) => new(
            seed, 0.4, Seconds(reached), Seconds(nearly), new ElapsedSeconds(100, 50), 5, 0.8, 0.4, null);
        ElapsedSeconds? Seconds(double? value) => value is { } seconds ? new ElapsedSeconds(seconds, seconds / 2) : null;
        var result = new SpeedResult(
        [
            new("resnet18-w16", "dense", true, [Seed(0, 80, 60), Seed(1, 90, 60)]),
            new("resnet18-w16", "ticket", false, [Seed(0, 40, 20), Seed(1, null, 20)]),
            new("resnet18-w16", "free", false, [Seed(0, null, 30), Seed(1, null, null)]),
            new("resnet18-w16", "TorchSharp float32", true, [Seed(1, 360, 120)]),
        ], []);
        IReadOnlyList<SpeedTable> tables = SpeedReports.Tables(result);
        IEnumerable<string> Column(int table, string header) => tables[table].Rows.Select(
            row => row[tables[table].Headers.ToList().IndexOf(header)]);
        Assert.Multiple(() =>
        {
            Assert.That(Column(1, ">to equal robustness, CPU s"), Is.EqualTo(
                new[] { "85.0 ± 7.1", "40.0 (1 of 2 seeds)", "not reached", "360.0" }));
            Assert.That(Column(1, ">dense / arm, CPU s"), Is.EqualTo(new[]
            {
                "1.00 ×/÷ 1.00", "2.00 (1 of 2 seeds)", "–", "0.25",
            }));
            Assert.That(Column(1, ">TorchSharp float32 / arm, CPU s"), Is.EqualTo(new[]
            {
                "4.00 (1 of 2 seeds)", "–", "–", "1.00",
            }));
            Assert.That(Column(2, ">to 95 % of it, s"), Is.EqualTo(
                new[] { "30.0 ± 0.0", "10.0 ± 0.0", "15.0 (1 of 2 seeds)", "60.0" }));
            Assert.That(Column(2, ">dense / arm, s"), Is.EqualTo(new[]
            {
                "1.00 ×/÷ 1.00", "3.00 ×/÷ 1.00", "2.00 (1 of 2 seeds)", "0.50",
            }));
            Assert.That(Column(2, ">TorchSharp float32 / arm, s"), Is.EqualTo(new[]
            {
                "2.00 (1 of 2 seeds)", "6.00 (1 of 2 seeds)", "–", "1.00",
            }));
            foreach ((SpeedTable table, SpeedTable brief) in tables.Zip(SpeedReports.BriefTables(result)))
            {
                Assert.That(
                    brief.Headers, Is.EqualTo(table.Headers.Where(header => !header.EndsWith(", s", StringComparison.Ordinal))));
                Assert.That(brief.Rows.Select(row => row.Count), Is.All.EqualTo(brief.Headers.Count));
            }
        });
    }

    private static SpeedSeed Trained(ulong seed, double processor, double wall) => new(
        seed, 0.4, new ElapsedSeconds(processor, wall), new ElapsedSeconds(processor, wall), new ElapsedSeconds(processor, wall),
        1, 0.8, 0.4, 0.25)
    {
        AutoAttackSamples = 256,
    };

    [Test]
    public void On_a_gpu_all_times_are_those_that_passed()
    {
        var onCpu = new SpeedResult(
            [new("m", "dense", true, [Trained(0, 10, 80)]), new("m", "ticket", false, [Trained(0, 10, 40)])],
            [
                new("m", "dense", 0, 1, new ElapsedSeconds(10, 80), 0.8, 0.4, 100),
                new("m", "ticket", 0, 1, new ElapsedSeconds(10, 40), 0.8, 0.4, 100),
            ]);
        SpeedResult onGpu = onCpu with { OnGpu = true };
        Assert.Multiple(() =>
        {
            foreach (IReadOnlyList<SpeedTable> tables in (IReadOnlyList<SpeedTable>[])
                [SpeedReports.Tables(onGpu), SpeedReports.BriefTables(onGpu)])
            {
                Assert.That(tables[1].Headers, Is.EqualTo(
                    new[] { "network", "arm", ">seeds", ">to equal robustness, s", ">dense / arm, s" }));
                Assert.That(tables[1].Rows[1], Is.EqualTo(new[] { "m", "ticket", "1", "40.0", "2.00" }));
                Assert.That(tables[0].Headers.TakeLast(2), Is.EqualTo(new[] { ">AutoAttack % (256 images)", ">whole, s" }));
                Assert.That(tables.SelectMany(table => table.Headers), Has.None.Contains("CPU"));
            }

            Assert.That(SpeedReports.Note(onGpu), Does.Not.Contain("CPU s").And.Contain("nothing of a GPU's work"));
            Assert.That(SpeedReports.Note(onCpu), Does.Contain("CPU s are seconds of all processors"));
            Assert.That(SpeedReports.Csv(onGpu), Does.Contain("m,ticket,0,1,0.4,10,40,10,40,"));
            FigurePanel cpu = SpeedMeasurement.Figure(onCpu, "speed", "t").Panels[0],
                gpu = SpeedMeasurement.Figure(onGpu, "speed", "t").Panels[0];
            Assert.That((cpu.XLabel, cpu.Series[1].Points[0].X), Is.EqualTo(("seconds of processors, donor included", 10)));
            Assert.That((gpu.XLabel, gpu.Series[1].Points[0].X), Is.EqualTo(("seconds that passed, donor included", 40)));
        });
    }

    [Test]
    public void AutoAttack_stands_with_its_images_and_one_seed_with_its_interval()
    {
        SpeedResult Of(params SpeedSeed[] seeds) => new([new("m", "dense", true, seeds)], []);
        string Cell(SpeedResult result) => SpeedReports.Tables(result)[0].Rows[0][5];
        Assert.Multiple(() =>
        {
            Assert.That(Cell(Of(Trained(0, 1, 1))), Is.EqualTo("25.00 (20.1 to 30.6)"));
            Assert.That(Cell(Of(Trained(0, 1, 1), Trained(1, 1, 1))), Is.EqualTo("25.00 ± 0.00"));
            SpeedResult none = Of(Trained(0, 1, 1) with { AutoAttack = null, AutoAttackSamples = null });
            Assert.That((SpeedReports.Tables(none)[0].Headers[5], Cell(none)), Is.EqualTo((">AutoAttack %", "–")));
            Assert.That(SpeedReports.Csv(Of(Trained(0, 1, 1))).TrimEnd(), Does.EndWith(",0.25,1,1,256"));
        });
    }

    [Test]
    public void Ratios_are_averaged_geometrically_and_times_of_0_have_none()
    {
        SpeedRow Row(string arm, params double[] seconds) => new("m", arm, arm == "dense",
        [
            .. seconds.Select((value, seed) => new SpeedSeed(
                (ulong)seed, 0.4, new ElapsedSeconds(value, value), null, new ElapsedSeconds(100, 100), 5, 0.8, 0.4, null)),
        ]);
        RatioSpread? Sooner(SpeedRow row, SpeedRow other) =>
            row.Sooner(other, seed => seed.Reached, seconds => seconds.Processor);
        SpeedRow dense = Row("dense", 80, 80), arm = Row("ticket", 40, 10);
        RatioSpread ratio = Sooner(arm, dense)!.Value, inverse = Sooner(dense, arm)!.Value;
        Assert.That(ratio.Mean, Is.EqualTo(4).Within(1e-12), "of 2 and 8");
        Assert.That(ratio.Factor, Is.EqualTo(Math.Pow(2, Math.Sqrt(2))).Within(1e-12));
        Assert.That(inverse.Mean, Is.EqualTo(1 / ratio.Mean).Within(1e-12));
        Assert.That(ratio.Text("F2"), Is.EqualTo("4.00 ×/÷ 2.67"));
        Assert.That(Sooner(Row("ticket", 0, 40), dense)!.Value.Text("F2"), Is.EqualTo("2.00"));
        Assert.That(Sooner(Row("ticket", 0, 0), dense), Is.Null);
    }

    [Test]
    public void Trainings_that_others_disturbed_are_named()
    {
        TrainingWork Work(double wall, double? disturbed) => new(1, 1, wall, wall, disturbed);
        Assert.Multiple(() =>
        {
            Assert.That(
                BusyMachine.Tell([("a", [Work(8, 0), Work(2, 2)]), ("b", [Work(90, 9)]), ("c", [Work(1, 0), Work(1, 1)])]),
                Does.Contain(": a (20 %); c (50 %). Their seconds are too many"));
            Assert.That(BusyMachine.Tell([("b", [Work(90, 9)]), ("d", [Work(5, null)]), ("e", [])]), Is.Null);
            Assert.That(BusyMachine.Tell([Work(8, 0), Work(2, 2)]), Does.Contain("during 20 % of the training"));
        });
    }

    [Test]
    public void Trainings_of_different_machines_are_named_with_their_machines()
    {
        TrainingMachine a = new("cpu: 2 threads", "a processor"), b = new("cuda: a GPU", "another");
        const string Doubt =
            "The times that are compared are of different machines, so their ratios say as much of machines as of trainings. ";
        Assert.Multiple(() =>
        {
            Assert.That(DifferentMachines.Tell([("x", [a]), ("y", [a])]), Is.Null);
            Assert.That(DifferentMachines.Tell([("x", null), ("y", null)]), Is.Null);
            Assert.That(DifferentMachines.Tell([("x", [a]), ("y", [b]), ("z", [b])]), Is.EqualTo(
                Doubt + "On cpu: 2 threads; a processor: x. On cuda: a GPU; another: all others."));
            Assert.That(DifferentMachines.Tell([("x", [a]), ("y", [a]), ("z", null)]), Is.EqualTo(
                Doubt + "On a machine that was not written down (by an earlier version): z. On cpu: 2 threads; a processor: "
                + "all others."));
            Assert.That(DifferentMachines.Tell([("x", [a, b])]), Is.EqualTo(
                Doubt + "On cpu: 2 threads; a processor, then on cuda: a GPU; another: all."));
            Assert.That((a.HasGpu(), b.HasGpu()), Is.EqualTo((false, true)));
        });
    }

    [TestCase("table2", "ticket", null, "arms does not apply to table2; leave it out.")]
    [TestCase("table2", null, "5", "autoattackSamples does not apply to table2; leave it out.")]
    [TestCase("speed", "tickets", null, "There is no arm 'tickets'; did you mean 'ticket'?")]
    [TestCase("speed", null, "-1", "autoattackSamples is '-1'; give a whole number from 0 on.")]
    public void Arms_and_samples_that_do_not_fit_are_refused(string name, string? arms, string? samples, string message)
    {
        var error = Assert.Throws<ConfigurationException>(
            () => new ExperimentSources(name, null, []) { Arms = arms, AttackedSamples = samples }.Compose());
        Assert.That(error!.Message, Is.EqualTo(message));
    }
}
