using BoostingTicket.Runs.Folders;

namespace BoostingTicket.Cli.Tests;

internal sealed class BadInputTests
{
    private string _folder = "";

    [SetUp]
    public void CreateFolder() => _folder = Directory.CreateTempSubdirectory("boosting-ticket-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [TestCase("rnu", "did you mean 'run'?")]
    [TestCase("data ftech mnist", "did you mean 'fetch'?")]
    [TestCase("run --epohcs 3", "There is no option '--epohcs' of 'boosting-ticket run'; did you mean '--epochs'?")]
    [TestCase("models --jsno", "did you mean '--json'?")]
    [TestCase("run --preset qiuck", "There is no preset 'qiuck'; did you mean 'quick'?")]
    [TestCase("run --model resnet81", "There is no model 'resnet81'; did you mean 'resnet18'?")]
    [TestCase("models wrm-34-10", "did you mean 'wrn-34-10'?")]
    [TestCase("profile --model resnet81", "There is no model 'resnet81'; did you mean 'resnet18'?")]
    [TestCase("profile --sparsity 1", "--sparsity is 1; choose", true)]
    [TestCase("profile --sparsity most", "--sparsity is 'most'; give a share", true)]
    [TestCase("profile --batches x", "--batches is 'x'; give a whole number", true)]
    [TestCase("profile --batches -1", "--batches is -1; choose", true)]
    [TestCase("profile --top 0", "--top is 0; choose", true)]
    [TestCase("profile --steps 0", "--steps is 0; choose", true)]
    [TestCase("profile --weights nowhere.safetensors", "nowhere.safetensors")]
    [TestCase("profile --model lenet-3-4-8 --train-samples 600 --batch 128", "--batch is 128, but there are 100 training samples",
        true)]
    [TestCase("run --dataset cifar01", "There is no data set 'cifar01'; did you mean 'cifar10'?")]
    [TestCase("data info cifra10", "did you mean 'cifar10'?")]
    [TestCase("run --device cdua", "There is no device 'cdua'; did you mean 'cuda'?")]
    [TestCase("run --method pdg", "did you mean 'pgd'?")]
    [TestCase("run --epsilon 2", "--epsilon is 2; choose a value from 0 to 1")]
    [TestCase("run --ratio 1", "--ratio is 1; choose")]
    [TestCase("run --batch 0", "--batch is 0; choose", true)]
    [TestCase("run --dense-batch 0", "--dense-batch is 0; choose", true)]
    [TestCase("run --learning-rate -1", "--learning-rate is -1; choose", true)]
    [TestCase("run --train-epsilon 2", "--train-epsilon is 2; choose", true)]
    [TestCase("train --batch 0", "--batch is 0; choose", true)]
    [TestCase("train --epochs 1000000", "--epochs is 1000000; choose", true)]
    [TestCase("retrain t.safetensors --momentum 2", "--momentum is 2; choose", true)]
    [TestCase("evaluate w.safetensors --batch 0", "--batch is 0; choose", true)]
    [TestCase("evaluate w.safetensors --evaluation-steps 0", "--evaluation-steps is 0; choose", true)]
    [TestCase("evaluate w.safetensors --attack-bn batch", "There is no option '--attack-bn'")]
    [TestCase("prune w.safetensors --rounds 3", "There is no option '--rounds'")]
    [TestCase("retrain t.safetensors --init he", "There is no option '--init'")]
    [TestCase("run --resume", "holds nothing to resume")]
    [TestCase("train --resume", "holds nothing to resume")]
    [TestCase("retrain t.safetensors --resume", "holds nothing to resume")]
    [TestCase("run --epochs", "The option --epochs needs a value")]
    [TestCase("run --epochs --arms dense", "The option --epochs needs a value")]
    [TestCase("run --epochs 3 --epochs 4", "The option --epochs is given more than once")]
    [TestCase("run --threads x", "--threads is 'x'; give a whole number")]
    [TestCase("run --threads 5000", "--threads is 5000; choose")]
    [TestCase("run --seed -3", "--seed is '-3'")]
    [TestCase("run --config nowhere.json", "nowhere.json cannot be read")]
    [TestCase("run extra", "Unexpected argument 'extra'")]
    [TestCase("run --train-samples 100 --validation-samples 100", "--validation-samples is 100")]
    [TestCase("evaluate nowhere.safetensors", "nowhere.safetensors")]
    [TestCase("evaluate w.safetensors --attack pgd,apgd", "There is no attack 'apgd'; did you mean 'pgd'")]
    [TestCase("evaluate w.safetensors --attack square,", "There is no attack ''; choose one of: fgsm, pgd")]
    [TestCase("evaluate w.safetensors --save-adversarial images.png",
        "--save-adversarial names images.png; name a file that ends in .npy")]
    [TestCase("inspect", "needs FILE")]
    [TestCase("inspect nowhere.safetensors", "nowhere.safetensors")]
    [TestCase("prune nowhere.safetensors", "nowhere.safetensors")]
    [TestCase("data fetch synthetic-28", "needs no download")]
    [TestCase("data", "needs a command: list, fetch, info")]
    [TestCase("", "needs a command")]
    public void Usage_ends_with_2_and_one_sentence(string line, string message, bool begins = false)
    {
        string output = Path.Combine(_folder, "out");
        string[] arguments = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        CommandResult result = CommandLine.Run(["--quiet", "--out", output, .. arguments]);
        Assert.That(result.Error, begins ? Does.StartWith(message) : Does.Contain(message));
        Assert.That(result.Code, Is.EqualTo(2));
        Assert.That(result.Error.TrimEnd(), Does.Not.Contain("\n").And.Not.Contain("   at "));
        Assert.That(result.Out, Is.Empty);
        Assert.That(File.Exists(Path.Combine(output, "configuration.json")), Is.False);
    }

    [Test]
    public void Errors_are_one_json_document_too()
    {
        CommandResult result = CommandLine.Run("models", "resnet81", "--json");
        Assert.That(result.Json().GetProperty("exitCode").GetInt32(), Is.EqualTo(2));
        Assert.That(result.Json().GetProperty("error").GetString(), Does.Contain("did you mean 'resnet18'?"));
        Assert.That(result.Error, Does.Contain("did you mean 'resnet18'?"));
    }

    [Test]
    public void Unknown_setting_in_a_file_names_the_nearest()
    {
        string file = Path.Combine(_folder, "settings.json");
        File.WriteAllText(file, """{ "retrain": { "epohcs": 3 } }""");
        CommandResult result = CommandLine.Run("run", "--config", file, "--out", Path.Combine(_folder, "out"));
        Assert.That((result.Code, Directory.Exists(Path.Combine(_folder, "out"))), Is.EqualTo((2, false)));
        Assert.That(result.Error, Does.Contain("unknown setting 'retrain.epohcs'; did you mean 'retrain.epochs'?"));
    }

    [Test]
    public void Missing_data_ends_with_3_and_says_how_to_get_it()
    {
        CommandResult result = CommandLine.Run(
            "run", "--preset", "mnist-lenet", "--data", _folder, "--quiet", "--out", Path.Combine(_folder, "out"));
        Assert.That(result.Code, Is.EqualTo(3));
        Assert.That(result.Error, Does.Contain("data fetch mnist").And.Contain(_folder));
        Assert.That(Directory.Exists(Path.Combine(_folder, "out")), Is.False);
    }

    [Test]
    public void Damaged_data_ends_with_3()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "mnist"));
        foreach (string name in new[] { "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
            "t10k-labels-idx1-ubyte" })
            File.WriteAllBytes(Path.Combine(_folder, "mnist", name), [0, 0, 8, 3, 0, 0]);
        CommandResult result = CommandLine.Run("data", "info", "mnist", "--data", _folder);
        Assert.That(result.Code, Is.EqualTo(3));
        Assert.That(result.Error, Does.Contain("-ubyte"));
    }

    [TestCase("run")]
    [TestCase("devices")]
    public void Cuda_that_cannot_be_used_ends_with_4_and_the_reason(string command)
    {
        if (Engine.Cuda.CudaProbe.Run().Usable)
            Assert.Ignore("CUDA can be used on this machine.");
        CommandResult result = CommandLine.Run(command, "--device", "cuda", "--out", Path.Combine(_folder, "out"));
        Assert.That(result.Code, Is.EqualTo(4));
        Assert.That(result.Error, Does.Contain(Engine.Cuda.CudaProbe.DriverLibrary).And.Contain("use the device cpu"));
        Assert.That(Directory.Exists(Path.Combine(_folder, "out")), Is.False);
    }

    [Test]
    public void Diverged_training_ends_with_5()
    {
        CommandResult result = CommandLine.Run(["run", .. CommandLine.Tiny, "--quiet", "--learning-rate", "100", "--weight-decay",
            "1", "--batch", "8", "--out", Path.Combine(_folder, "out")]);
        Assert.That(result.Code, Is.EqualTo(5));
        Assert.That(result.Error, Does.Contain("learning-rate"));
    }

    [Test]
    public void Damaged_file_ends_with_6()
    {
        string file = Path.Combine(_folder, "weights.safetensors");
        File.WriteAllBytes(file, [255, 255, 255, 255, 0, 0, 0, 0, 123]);
        foreach (string command in new[] { "inspect", "evaluate", "retrain", "prune" })
        {
            CommandResult result = CommandLine.Run([command, file, .. command == "inspect"
                ? new[] { "--json" }
                : ["--quiet", "--out", Path.Combine(_folder, "out")]]);
            Assert.That(result.Code, Is.EqualTo(6), command);
            Assert.That(result.Error, Does.Contain("weights.safetensors"), command);
        }
    }

    [Test]
    public void Folder_in_use_ends_with_2()
    {
        using RunLock held = RunLock.Acquire(_folder);
        CommandResult result = CommandLine.Run(["run", .. CommandLine.Tiny, "--quiet", "--out", _folder]);
        Assert.That(result.Code, Is.EqualTo(2));
        Assert.That(result.Error, Does.Contain("in use by another run"));
    }
}
