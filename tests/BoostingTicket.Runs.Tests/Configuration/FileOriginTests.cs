using System.Text.Json;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Runs.Tests.Configuration;

/// <summary>The settings that files carry, and what is assumed of files that carry none.</summary>
internal sealed class FileOriginTests
{
    private static readonly RunConfiguration Settings = Presets.Find("cifar10-resnet18").Configuration with
    {
        Model = "resnet18-w2",
        Device = "cuda",
        Seed = ulong.MaxValue,
        Attack = new() { Epsilon = 4.0 / 255 },
    };

    private TemporaryFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void Settings_come_back_whole_but_for_the_device()
    {
        string path = Save(JsonSerializer.Serialize(Settings, RunJson.Compact));
        FileOrigin origin = FileOrigin.Read(path)!;
        Assert.That(origin.IsCarried);
        Assert.That(RunJson.Write(origin.Configuration), Is.EqualTo(RunJson.Write(Settings with { Device = "auto" })));
        Assert.That(origin.Source, Does.Contain(path));
        Assert.That(WeightFile.ReadMetadata(path)!.Settings!.Length, Is.LessThan(4_000));
    }

    [Test]
    public void Command_line_wins_over_file_and_file_over_what_weights_carry()
    {
        FileOrigin origin = FileOrigin.Read(Save(JsonSerializer.Serialize(Settings, RunJson.Compact)))!;
        File.WriteAllText(_folder["settings.json"], """{ "attack": { "epsilon": "3/255", "steps": 4 } }""");
        RunConfiguration Compose(string? preset, string? file, params (string Option, string Value)[] options)
        {
            (ConfigurationOption, string)[] given =
                [.. options.Select(entry => (ConfigurationOptions.Find(entry.Option), entry.Value))];
            return new ConfigurationSources(preset, file, given) { Origin = origin }.Compose();
        }

        Assert.That(Compose(null, null).Attack.Epsilon, Is.EqualTo(4.0 / 255));
        Assert.That(Compose(null, null, ("dataset", "cifar10")).Attack.Epsilon, Is.EqualTo(4.0 / 255), "the same data set");
        Assert.That(Compose(null, null, ("dataset", "mnist")).Attack.Epsilon, Is.EqualTo(0.3), "another data set");
        Assert.That(Compose("quick", null).Attack.Epsilon, Is.EqualTo(0.08), "a preset by name");
        RunConfiguration file = Compose(null, _folder["settings.json"], ("steps", "5"));
        Assert.That((file.Attack.Epsilon, file.Attack.Steps, file.Seed), Is.EqualTo((3.0 / 255, 5, ulong.MaxValue)));
        foreach (string? preset in new[] { null, "quick" })
            Assert.That(Compose(preset, null, ("dataset", "mnist")).Model, Is.EqualTo("resnet18-w2"), "the file's own model");
    }

    [TestCase("{", TestName = "{m}(cut)")]
    [TestCase("[]", TestName = "{m}(list)")]
    [TestCase("""{ "out": "/tmp/x" }""", TestName = "{m}(folder)")]
    [TestCase("""{ "threads": 1000 }""", TestName = "{m}(threads)")]
    [TestCase("""{ "seed": 1, "seed": 2 }""", TestName = "{m}(twice)")]
    [TestCase("""{ "attack": { "epsilon": 8 } }""", TestName = "{m}(range)")]
    [TestCase("""{ "attack": { "epsilon": {} } }""", TestName = "{m}(kind)")]
    [TestCase("""{ "attack": 3 }""", TestName = "{m}(group)")]
    [TestCase("""{ "data": { "name": "\u001b]0;title\u0007" } }""", TestName = "{m}(escape)")]
    [TestCase("""{ "model": "resnet18\u001b[2J" }""", TestName = "{m}(model)")]
    [TestCase("""{ "\u001b[2J": 1 }""", TestName = "{m}(member)")]
    [TestCase("""{ "model": "\ud800" }""", TestName = "{m}(surrogate)")]
    public void Settings_that_cannot_be_used_are_one_sentence_that_repeats_nothing_of_them(string settings)
    {
        string path = Save(settings);
        DamagedFileException error = Assert.Throws<DamagedFileException>(() => FileOrigin.Read(path))!;
        Assert.That(error.Message, Is.EqualTo(
            $"The settings that {path} carries cannot be used; choose others with preset or config, or give another file."));
    }

    [Test]
    public void Deep_and_long_settings_cost_nothing()
    {
        string deep = Save(new string('[', 50_000));
        Assert.That(() => FileOrigin.Read(deep), Throws.TypeOf<DamagedFileException>());
        string @long = Save($$"""{ "model": "{{new string('x', ModelFileMetadata.LongestSettings)}}" }""");
        Assert.That(
            () => FileOrigin.Read(@long), Throws.TypeOf<DamagedFileException>().With.Message.Contains("characters of settings"));
    }

    [Test]
    public void Settings_of_an_experiment_can_be_written_and_read_as_a_configuration_file()
    {
        RunConfiguration kept = FileOrigin.Read(
            Save(JsonSerializer.Serialize(Settings with { Preset = "experiment" }, RunJson.Compact)))!.Configuration!;
        Assert.That(kept.Preset, Is.EqualTo("cifar10-resnet18"));
        string folder = _folder["store"], seed = Path.Combine(folder, "seed-0");
        Directory.CreateDirectory(seed);
        File.WriteAllText(Path.Combine(folder, "configuration.json"), RunJson.Write(Settings with { Preset = "experiment" }));
        string path = Path.Combine(seed, "training.last.safetensors");
        WeightFile.Save(path, ModelFileFixture.State, ModelFileFixture.Metadata);
        Assert.That(RunJson.Hash(FileOrigin.Read(path)!.Configuration!), Is.EqualTo(RunJson.Hash(kept)));
    }

    [Test]
    public void Files_that_carry_none_take_those_of_their_run_or_of_the_data_set_they_look_like()
    {
        FileOrigin cifar = FileOrigin.Read(Save(null))!;
        Assert.That((cifar.Configuration, cifar.AssumedDataSet, cifar.IsCarried),
            Is.EqualTo(((RunConfiguration?)null, "cifar10", false)));
        Assert.That(cifar.Source, Does.StartWith("defaults of cifar10, assumed from its normalisation"));
        RunConfiguration composed = new ConfigurationSources(null, null, []) { Origin = cifar }.Compose();
        Assert.That((composed.Attack.Epsilon, composed.Data.Name, composed.Model, composed.Data.TestSamples),
            Is.EqualTo((8.0 / 255, "cifar10", "resnet18-w2", 0)));

        string folder = _folder["run"], path = Path.Combine(folder, "seed-0", "train.last.safetensors");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(Path.Combine(folder, "configuration.json"), RunJson.Write(Settings));
        WeightFile.Save(path, ModelFileFixture.State, ModelFileFixture.Metadata);
        FileOrigin run = FileOrigin.Read(path)!;
        Assert.That((run.Configuration!.Attack.Epsilon, run.IsCarried), Is.EqualTo((4.0 / 255, false)));
        Assert.That(run.Source, Does.Contain("configuration.json"));

        var unknown = new ModelFileMetadata { Model = "resnet18-w2", Input = new FeatureShape(3, 32, 32), Classes = 10 };
        WeightFile.Save(_folder["unknown"], ModelFileFixture.State, unknown);
        Assert.That(FileOrigin.Read(_folder["unknown"])!.Source, Does.Contain("does not name its data set"));
        Assert.That(FileOrigin.Read(_folder["nowhere"]), Is.Null);
    }

    private string Save(string? settings)
    {
        string path = _folder[$"{Guid.NewGuid():N}.safetensors"];
        WeightFile.Save(path, ModelFileFixture.State, ModelFileFixture.Metadata with { Settings = settings });
        return path;
    }
}
