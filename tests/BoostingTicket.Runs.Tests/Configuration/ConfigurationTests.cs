using System.Text.Json;
using System.Text.Json.Nodes;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Optimization;

namespace BoostingTicket.Runs.Tests.Configuration;

internal sealed class ConfigurationTests
{
    private string _folder = "";

    [SetUp]
    public void CreateFolder() => _folder = Directory.CreateTempSubdirectory("boosting-ticket-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Every_setting_survives_a_round_trip_through_json()
    {
        foreach (SettingNode leaf in ConfigurationSchema.Leaves)
        {
            var draft = new ConfigurationDraft(new RunConfiguration());
            string before = RunJson.Hash(draft.Build());
            draft.Set(leaf.Path, OtherValue(leaf), leaf.Path);
            RunConfiguration changed = draft.Build();
            Assert.That(RunJson.Hash(changed), Is.Not.EqualTo(before), $"{leaf.Path} does not reach the hash");
            RunConfiguration read = RunJson.Read<RunConfiguration>(RunJson.Write(changed), "configuration.json");
            Assert.That(RunJson.Write(read), Is.EqualTo(RunJson.Write(changed)), leaf.Path);
        }
    }

    [Test]
    public void Every_setting_but_the_preset_has_an_option()
    {
        // Evaluation accepts a single value for its statistics.
        var reached = ConfigurationOptions.All.SelectMany(option => option.Paths).ToHashSet();
        Assert.That(
            ConfigurationSchema.Leaves.Select(leaf => leaf.Path).Where(path => !reached.Contains(path)),
            Is.EqualTo(new[] { "preset", "evaluation.attack.statistics" }));
    }

    [Test]
    public void Option_names_are_unique_and_reach_what_they_say()
    {
        Assert.That(ConfigurationOptions.All.Select(option => option.Name), Is.Unique);
        foreach (ConfigurationOption option in ConfigurationOptions.All)
        {
            foreach (string path in option.Paths)
                Assert.That(() => ConfigurationSchema.Leaf(path), Throws.Nothing);
        }
    }

    [Test]
    public void Written_configuration_can_be_read_as_a_configuration_file()
    {
        RunConfiguration preset = Presets.Find("mnist-lenet").Configuration;
        string file = Write(RunJson.Write(preset));
        RunConfiguration read = new ConfigurationSources(null, file, []).Compose();
        Assert.That(RunJson.Hash(read), Is.EqualTo(RunJson.Hash(preset)));
    }

    [Test]
    public void Command_line_wins_over_file_and_file_over_preset()
    {
        string file = Write("""
            {
              // what the file says
              "preset": "cifar10-resnet18",
              "attack": { "epsilon": "4/255", "steps": 3 },
              "dense": { "epochs": 30, },
            }
            """);
        RunConfiguration configuration = Compose(null, file, ("steps", "5"), ("seed", "7"));
        Assert.Multiple(() =>
        {
            Assert.That(configuration.Preset, Is.EqualTo("cifar10-resnet18"));
            Assert.That(configuration.Model, Is.EqualTo("resnet18"));
            Assert.That(configuration.Attack.Epsilon, Is.EqualTo(4.0 / 255));
            Assert.That(configuration.Attack.Steps, Is.EqualTo(5));
            Assert.That(configuration.Attack.StepSize, Is.EqualTo(2.0 / 255));
            Assert.That(configuration.Dense.Epochs, Is.EqualTo(30));
            Assert.That(configuration.Retrain.Epochs, Is.EqualTo(100));
            Assert.That(configuration.Seed, Is.EqualTo(7));
        });
    }

    [Test]
    public void Preset_of_the_command_line_wins_over_that_of_the_file() =>
        Assert.That(Compose("quick", Write("""{ "preset": "mnist-lenet" }""")).Preset, Is.EqualTo("quick"));

    [Test]
    public void Option_for_one_training_wins_whatever_the_order()
    {
        RunConfiguration configuration = Compose("cifar10-vgg16", null, ("donor-batch", "32"), ("batch", "64"));
        Assert.That(
            (configuration.Donor.BatchSize, configuration.Retrain.BatchSize, configuration.Dense.BatchSize),
            Is.EqualTo((32, 64, 64)));
    }

    [TestCase("20", 50, 20, 50)]
    [TestCase("1", 3, 1, 3)]
    [TestCase("0", 0, 0, 0)]
    public void Epochs_keep_their_proportion(string epochs, int donor, int retrain, int dense)
    {
        RunConfiguration configuration = Compose("cifar10-wrn34", null, ("epochs", epochs));
        Assert.That(
            (configuration.Donor.Epochs, configuration.Retrain.Epochs, configuration.Dense.Epochs),
            Is.EqualTo((donor, retrain, dense)));
    }

    [Test]
    public void Epsilon_goes_to_training_and_evaluation()
    {
        RunConfiguration both = Compose(null, null, ("epsilon", "16/255"));
        Assert.That((both.Attack.Epsilon, both.Evaluation.Attack.Epsilon), Is.EqualTo((16.0 / 255, 16.0 / 255)));
        RunConfiguration apart = Compose(null, null, ("epsilon", "16/255"), ("evaluation-epsilon", "0.5"));
        Assert.That((apart.Attack.Epsilon, apart.Evaluation.Attack.Epsilon), Is.EqualTo((16.0 / 255, 0.5)));
    }

    [TestCase("natural", TrainingMethod.Natural)]
    [TestCase("pgd", TrainingMethod.Fgsm)]
    public void Method_takes_the_donor_along_only_to_natural(string method, TrainingMethod donor) =>
        Assert.That(Compose(null, null, ("method", method)).Donor.Method, Is.EqualTo(donor));

    [Test]
    public void None_removes_what_is_optional()
    {
        RunConfiguration configuration = Compose("mnist-lenet", null, ("patience", "none"), ("warmup-from", "none"));
        Assert.That(configuration.Retrain.EarlyStopping, Is.Null);
        Assert.That(configuration.Retrain.WarmupFrom, Is.Null);
        Assert.That(Compose(null, null, ("patience", "4")).Dense.EarlyStopping, Is.EqualTo(new EarlyStopping { Patience = 4 }));
    }

    [TestCase("none", null)]
    [TestCase("true", true)]
    [TestCase("false", false)]
    public void What_early_stopping_watches_can_be_left_to_the_method(string text, bool? robust)
    {
        RunConfiguration configuration = Compose(null, null, ("patience", "4"), ("early-stopping-robust", text));
        Assert.That(configuration.Dense.EarlyStopping, Is.EqualTo(new EarlyStopping { Patience = 4, Robust = robust }));
        Assert.That(Compose(null, null, ("early-stopping-robust", "none")).Dense.EarlyStopping, Is.Null);
    }

    [Test]
    public void Lists_and_abbreviations_are_read()
    {
        RunConfiguration configuration = Compose(
            null, null, ("arms", "ticket, Shuffle"), ("attack-loss", "cw"), ("learning-rate-drops", "none"));
        Assert.That(configuration.Arms, Is.EqualTo(new[] { Arm.Ticket, Arm.Shuffle }));
        Assert.That(configuration.Attack.Loss, Is.EqualTo(LossKind.CarliniWagner));
        Assert.That(configuration.Dense.LearningRateDrops, Is.Empty);
    }

    [TestCase("cifar10-resnet18", "resnet18-w16")]
    [TestCase("cifar10-vgg16", "vgg16-w16")]
    [TestCase("cifar10-wrn34", "wrn-34-16")]
    public void Width_changes_the_model(string preset, string model) =>
        Assert.That(Compose(preset, null, ("width", "16")).Model, Is.EqualTo(model));

    [TestCase("epochs", "many", "epochs is 'many'; give a whole number")]
    [TestCase("epochs", "-1", "epochs is -1; choose a value from 0 to 100000")]
    [TestCase("epsilon", "8/0", "epsilon is '8/0'; give a number such as")]
    [TestCase("epsilon", "9", "epsilon is 9; choose a value from 0 to 1")]
    [TestCase("ratio", "1.5", "ratio is 1.5")]
    [TestCase("batch", "0", "batchSize is 0")]
    [TestCase("learning-rate", "-0.1", "learningRate is -0.1")]
    [TestCase("method", "pdg", "method has no value 'pdg'; did you mean 'pgd'?")]
    [TestCase("arms", "dense,dense", "arms must name at least one")]
    [TestCase("crop-flip", "maybe", "crop-flip is 'maybe'; give true or false")]
    [TestCase("warmup-length", "5 epochs", "warmup-length is")]
    [TestCase("width", "16", "width does not apply to lenet-16-32-128")]
    [TestCase("seed", "-1", "seed is '-1'")]
    public void Bad_values_are_refused_by_name(string option, string value, string message) =>
        Assert.That(() => Compose(null, null, (option, value)), Throws.TypeOf<ConfigurationException>().With.Message.StartsWith(
            message).Or.Message.Contains(message));

    [TestCase("""{ "attack": { "epsilom": 0.1 } }""", "unknown setting 'attack.epsilom'; did you mean 'attack.epsilon'?")]
    [TestCase("""{ "dense": 5 }""", "dense in ")]
    [TestCase("""{ "dense": { "epochs": 1.5 } }""", "dense.epochs in ")]
    [TestCase("""{ "dense": { "epochs": null } }""", "dense.epochs in ")]
    [TestCase("""{ "arms": ["dense", "tikcet"] }""", "did you mean 'ticket'?")]
    [TestCase("""{ "preset": "quik" }""", "There is no preset 'quik'; did you mean 'quick'?")]
    [TestCase("{ \"seed\": 1,\n \"seed\": }", "is not valid JSON in line 2")]
    [TestCase("""{ "seed": 1, "seed": 2 }""", "is not valid JSON")]
    [TestCase("[]", "does not hold a JSON object")]
    public void Bad_files_are_refused_with_the_place(string json, string message)
    {
        string file = Write(json);
        Assert.That(() => Compose(null, file), Throws.TypeOf<ConfigurationException>().With.Message.Contains(message));
    }

    [Test]
    public void Missing_file_is_named() =>
        Assert.That(
            () => Compose(null, Path.Combine(_folder, "none.json")),
            Throws.TypeOf<ConfigurationException>().With.Message.Contains("none.json cannot be read"));

    [Test]
    public void Hash_does_not_depend_on_how_a_setting_was_given()
    {
        string file = Write("""{ "seed": 3, "attack": { "epsilon": "8/100" } }""");
        Assert.That(RunJson.Hash(Compose(null, file)), Is.EqualTo(RunJson.Hash(Compose(null, null, ("seed", "3")))));
        // All settings written out are the same settings; those that came after 0.1.0 do not count at their defaults.
        RunConfiguration composed = Compose(null, file);
        Assert.That(RunJson.Hash(Compose(null, Write(RunJson.Write(composed)))), Is.EqualTo(RunJson.Hash(composed)));
    }

    [Test]
    public void All_presets_are_valid_and_named_after_themselves()
    {
        foreach (Preset preset in Presets.All)
        {
            Assert.That(preset.Configuration.Validate, Throws.Nothing, preset.Name);
            Assert.That(preset.Configuration.Preset, Is.EqualTo(preset.Name));
        }
    }

    [Test]
    public void Presets_hold_the_papers_constants()
    {
        RunConfiguration vgg = Presets.Find("cifar10-vgg16").Configuration;
        Assert.Multiple(() =>
        {
            Assert.That((vgg.Attack.Epsilon, vgg.Attack.StepSize, vgg.Attack.Steps), Is.EqualTo((8.0 / 255, 2.0 / 255, 10)));
            Assert.That((vgg.Donor.Method, vgg.Donor.LearningRate, vgg.Retrain.WarmupFrom), Is.EqualTo(
                (TrainingMethod.Fgsm, 0.01, (double?)0.01)));
            Assert.That((vgg.Retrain.Method, vgg.Retrain.LearningRate, vgg.Retrain.WeightDecay), Is.EqualTo(
                (TrainingMethod.Pgd, 0.1, 2e-4)));
            Assert.That((vgg.Pruning.Ratio, vgg.Pruning.Rounds, vgg.Evaluation.Attack.Steps), Is.EqualTo((0.8, 1, 20)));
            Assert.That(Presets.Find("cifar10-resnet18").Configuration.Retrain.WarmupFrom, Is.EqualTo(0.05));
            Assert.That(Presets.Find("cifar10-wrn34").Configuration.Retrain.Epochs, Is.EqualTo(40));
            Assert.That(Presets.Find("cifar10-wrn34").Configuration.Dense.Epochs, Is.EqualTo(100));
            Assert.That(Presets.Find("mnist-lenet").Configuration.Dense.LearningRateDrops, Is.Empty);
            Assert.That(Presets.Find("mnist-lenet").Configuration.Seeds, Is.EqualTo(3));
        });
    }

    [TestCase("0.1", 0.1)]
    [TestCase("8/255", 8.0 / 255)]
    [TestCase("2e-4", 2e-4)]
    [TestCase(" 1 / 4 ", 0.25)]
    public void Fractions_are_read(string text, double value)
    {
        Assert.That(Fraction.TryParse(text, out double read));
        Assert.That(read, Is.EqualTo(value));
    }

    [TestCase("")]
    [TestCase("1/0")]
    [TestCase("0/0")]
    [TestCase("1/2/3")]
    [TestCase("NaN")]
    [TestCase("1,5")]
    public void What_is_no_number_is_refused(string text) => Assert.That(Fraction.TryParse(text, out _), Is.False);

    private static RunConfiguration Compose(string? preset, string? file, params (string Option, string Value)[] options) =>
        new ConfigurationSources(
            preset, file, [.. options.Select(entry => (ConfigurationOptions.Find(entry.Option), entry.Value))]).Compose();

    private string Write(string json)
    {
        string file = Path.Combine(_folder, "settings.json");
        File.WriteAllText(file, json);
        return file;
    }

    // A value other than the default of every setting, and valid.
    private static string OtherValue(SettingNode leaf)
    {
        JsonNode? present = JsonSerializer.SerializeToNode(new RunConfiguration(), RunJson.Options);
        foreach (string name in leaf.Path.Split('.'))
            present = present?[name];
        Type type = leaf.ItemType ?? leaf.Type;
        return type.IsEnum ? SettingNames.All(type).First(word => word != present?.ToString())
            : type == typeof(bool) ? (present?.GetValue<bool>() == true ? "false" : "true")
            : type == typeof(StepLength) ? "3ep"
            : type == typeof(string) ? "another"
            : type == typeof(double) ? "1/3"
            : "37";
    }

    [Test]
    public void Presets_have_no_weak_attacks() => Assert.Multiple(() =>
    {
        foreach (Preset preset in Presets.All)
        {
            Assert.That(AttackBudget.Pgd(preset.Configuration.Evaluation.Attack).Weakness, Is.Null, preset.Name);
            Assert.That(AttackBudget.Pgd(preset.Configuration.Attack).Weakness, Is.Null, preset.Name);
        }
    });
}
