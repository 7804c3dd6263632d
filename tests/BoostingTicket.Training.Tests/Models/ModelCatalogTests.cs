using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Tests.Models;

internal sealed class ModelCatalogTests
{
    private static readonly FeatureShape Cifar = new(3, 32, 32);
    private static readonly FeatureShape Mnist = new(1, 28, 28);

    [TestCase("vgg16", 14_987_722)]
    [TestCase("resnet18", 11_173_962)]
    [TestCase("wrn-34-10", 46_160_474)]
    [TestCase("wrn-28-10", 36_479_194)]
    [TestCase("wrn-22-10", 26_797_914)]
    [TestCase("wrn-16-10", 17_116_634)]
    [TestCase("wrn-10-10", 7_435_354)]
    [TestCase("wrn-34-5", 11_554_074)]
    [TestCase("wrn-34-2", 1_855_578)]
    [TestCase("wrn-34-1", 466_714)]
    [TestCase("preact-resnet18", 11_172_170)]
    [TestCase("preact-resnet18-v2", 11_172_170)]
    [TestCase("wrn-28-10-silu", 36_479_194)]
    [TestCase("lenet", 431_080)]
    [TestCase("lenet-madry", 3_274_634)]
    public void A_model_has_the_published_number_of_parameters(string name, long parameters)
    {
        ModelInfo info = ModelCatalog.Describe(name);
        Assert.That(info.Parameters, Is.EqualTo(parameters));
        Assert.That(info.SizeMiB, Is.EqualTo(parameters * 4.0 / (1 << 20)).Within(1e-9));
    }

    [Test]
    public void Table_4_of_the_paper_agrees_in_all_rows_but_the_doubled_first()
    {
        ModelInfo[] rows = [.. ModelCatalog.DescribeAll().Where(info => info.PaperParameters is not null)];
        Assert.That(rows, Has.Length.EqualTo(10));
        foreach (ModelInfo row in rows.Where(row => row.Name != "vgg16"))
        {
            Assert.That(row.PaperParameters, Is.EqualTo(row.Parameters), row.Name);
            Assert.That(row.Note, Is.Null, row.Name);
        }

        ModelInfo vgg = rows.Single(row => row.Name == "vgg16");
        Assert.That(vgg.PaperParameters, Is.EqualTo(29_975_444).And.EqualTo(2 * vgg.Parameters));
        Assert.That(vgg.Note, Does.Contain("29,975,444").And.Contains("twice the 14,987,722"));
    }

    // Billions, from independent arithmetic over convolutions and linear layers.
    [TestCase("lenet", 0.0023, 4)]
    [TestCase("vgg16", 0.3135, 4)]
    [TestCase("resnet18", 0.5554, 4)]
    [TestCase("preact-resnet18", 0.5554, 4)]
    [TestCase("wrn-28-10-silu", 5.243, 3)]
    [TestCase("wrn-28-10", 5.243, 3)]
    [TestCase("wrn-34-10", 6.659, 3)]
    [TestCase("wrn-22-10", 3.828, 3)]
    [TestCase("wrn-16-10", 2.412, 3)]
    [TestCase("wrn-10-10", 0.997, 3)]
    [TestCase("wrn-34-5", 1.672, 3)]
    [TestCase("wrn-34-2", 0.271, 3)]
    [TestCase("wrn-34-1", 0.069, 3)]
    public void A_model_has_the_known_number_of_multiply_adds(string name, double billions, int digits) =>
        Assert.That(Math.Round(ModelCatalog.Describe(name).MultiplyAdds / 1e9, digits), Is.EqualTo(billions));

    [TestCase("vgg16-w16")]
    [TestCase("vgg16-w4")]
    [TestCase("resnet18-w16")]
    [TestCase("preact-resnet18-w16")]
    [TestCase("preact-resnet18-v2-w4")]
    [TestCase("wrn-16-4-silu")]
    [TestCase("wrn-16-4")]
    [TestCase("wrn-10-1")]
    [TestCase("lenet-4-8-32")]
    [TestCase("lenet-4-8-32-p2")]
    public void Any_width_has_a_name_of_its_own(string name)
    {
        NetworkGraph graph = ModelCatalog.Build(name, new ModelOptions(Cifar));
        Assert.That(graph.Name, Is.EqualTo(name));
        Assert.That(graph.Output.Shape, Is.EqualTo(new FeatureShape(10)));
    }

    [TestCase("vgg16-w64", "vgg16")]
    [TestCase("resnet18-w64", "resnet18")]
    [TestCase("lenet-20-50-500", "lenet")]
    [TestCase("lenet-32-64-1024-p2", "lenet-madry")]
    public void A_model_of_two_names_is_one_model(string name, string shortest) =>
        Assert.That(ModelCatalog.Build(name, new ModelOptions(Mnist)).Name, Is.EqualTo(shortest));

    [Test]
    public void Vgg16_for_mnist_differs_in_the_stem_alone()
    {
        NetworkGraph mnist = ModelCatalog.Build(
            "vgg16", new ModelOptions(Mnist, Normalization: InputNormalizationConstants.Mnist));
        Assert.That(mnist.Table.TrainedLength, Is.EqualTo(14_987_722 - 2 * 9 * 64));
        // 28, 14, 7, 3, 1: nothing is left to average.
        Assert.That(mnist.Nodes.Single(node => node.Name == "classifier.0").Inputs[0].Shape, Is.EqualTo(new FeatureShape(512)));
        Assert.That(mnist.Nodes.Any(node => node.Name.EndsWith("avgpool", StringComparison.Ordinal)), Is.False);
    }

    [TestCase("resnet18-w4")]
    [TestCase("wrn-10-1")]
    [TestCase("vgg16-w4")]
    [TestCase("lenet")]
    public void Every_family_takes_mnist_and_cifar_images(string name)
    {
        foreach (FeatureShape input in new[] { Mnist, Cifar })
            Assert.That(ModelCatalog.Build(name, new ModelOptions(input, 7)).Classes, Is.EqualTo(7));
    }

    [Test]
    public void A_width_counts_the_channels_of_the_first_stage_and_scales_all()
    {
        ParameterTable table = ModelCatalog.Build("vgg16-w16", new ModelOptions(Cifar)).Table;
        Assert.That(table["feature.0.weight"].Spec.Dimensions, Is.EqualTo(new[] { 16, 3, 3, 3 }));
        Assert.That(table["feature.40.weight"].Spec.Dimensions, Is.EqualTo(new[] { 128, 128, 3, 3 }));
        Assert.That(table["classifier.0.weight"].Spec.Dimensions, Is.EqualTo(new[] { 128, 128 }));
        Assert.That(ModelCatalog.Build("resnet18-w16", new ModelOptions(Cifar)).Table["layer4.1.conv2.weight"].Spec.Dimensions,
            Is.EqualTo(new[] { 128, 128, 3, 3 }));
    }

    [Test]
    public void Normalisation_is_the_first_layer_and_has_no_parameters()
    {
        var options = new ModelOptions(Cifar);
        NetworkGraph bare = ModelCatalog.Build("wrn-10-1", options);
        NetworkGraph normalised = ModelCatalog.Build(
            "wrn-10-1", options with { Normalization = InputNormalizationConstants.Cifar10 });
        Assert.That(normalised.Nodes[1].Name, Is.EqualTo("normalization"));
        Assert.That(normalised.Table.All, Is.EqualTo(bare.Table.All).Using<Parameter>(
            (a, b) => a.Name == b.Name && a.Offset == b.Offset));
    }

    [Test]
    public void Convolutions_are_prunable_and_the_last_layer_is_not()
    {
        foreach (string name in ModelCatalog.Names)
        {
            NetworkGraph graph = ModelCatalog.Build(
                name, new ModelOptions(name.StartsWith("lenet", StringComparison.Ordinal) ? Mnist : Cifar));
            foreach (Parameter parameter in graph.Table.All)
            {
                bool hiddenLinear = parameter.Name == "fc1.weight";
                Assert.That(parameter.Prunable, Is.EqualTo(parameter.Role == ParameterRole.ConvolutionWeight || hiddenLinear),
                    $"{name} {parameter.Name}");
            }
        }
    }

    [TestCase("vgg16", "classifier.0.weight", false)]
    [TestCase("lenet", "fc1.weight", true)]
    public void Hidden_linear_layers_are_prunable_by_option(string model, string parameter, bool usual)
    {
        var options = new ModelOptions(Mnist);
        Assert.That(ModelCatalog.Build(model, options).Table[parameter].Prunable, Is.EqualTo(usual));
        foreach (bool prunable in new[] { true, false })
            Assert.That(ModelCatalog.Build(
                model, options with { PruneHiddenLinear = prunable }).Table[parameter].Prunable, Is.EqualTo(prunable));
    }

    [Test]
    public void Sums_come_right_after_the_last_layer_of_their_branch()
    {
        foreach (string name in new[] { "resnet18-w4", "preact-resnet18-w4", "wrn-16-1", "wrn-16-2", "wrn-16-2-silu" })
        {
            NetworkGraph graph = ModelCatalog.Build(name, new ModelOptions(Cifar));
            foreach (Node sum in graph.Nodes.Where(node => node.Inputs.Count == 2))
            {
                Assert.That(sum.Inputs[0].Index, Is.EqualTo(sum.Index - 1), $"{name} {sum.Name}");
                Assert.That(sum.Inputs[1].Index, Is.LessThan(sum.Inputs[0].Index), $"{name} {sum.Name}");
            }
        }
    }

    [TestCase("resnet81", "resnet18")]
    [TestCase("wrn34-10", "wrn-34-10")]
    [TestCase("VGG16", "vgg16")]
    [TestCase("lenet-mandry", "lenet-madry")]
    public void An_unknown_name_is_answered_with_the_nearest(string name, string nearest) =>
        Assert.That(() => ModelCatalog.Build(name, new ModelOptions(Cifar)),
            Throws.TypeOf<ConfigurationException>().With.Message.EqualTo(
                $"There is no model '{name}'; did you mean '{nearest}'?"));

    [Test]
    public void A_name_near_to_none_is_answered_with_all() =>
        Assert.That(() => ModelCatalog.Describe("transformer"),
            Throws.TypeOf<ConfigurationException>().With.Message.Contains("wrn-DEPTH-WIDTH").And.Message.Contains("vgg16"));

    [TestCase("wrn-35-10-silu", "6n + 4; choose 34 or 40")]
    [TestCase("wrn-35-10", "6n + 4; choose 34 or 40")]
    [TestCase("wrn-4-10", "depth of 4; choose one from 10")]
    [TestCase("wrn-34-0", "widening factor of 0")]
    [TestCase("vgg16-w0", "width of 0; choose one from 1 to 512")]
    [TestCase("resnet18-w9999", "width of 9999")]
    [TestCase("lenet-0-50-500", "number of filters of 0")]
    [TestCase("wrn-1000-100", "parameters; choose a smaller one")]
    [TestCase("vgg16-w-1", "There is no model")]
    [TestCase("wrn-034-10", "There is no model")]
    [TestCase("wrn-34", "There is no model")]
    public void Impossible_numbers_are_answered_with_what_is_possible(string name, string message) =>
        Assert.That(() => ModelCatalog.Build(name, new ModelOptions(Cifar)),
            Throws.TypeOf<ConfigurationException>().With.Message.Contains(message));

    [TestCase("vgg16", 3, 8, 8)]
    [TestCase("vgg16", 3, 32, 64)]
    [TestCase("lenet", 1, 12, 12)]
    public void Images_that_do_not_fit_are_named(string name, int channels, int height, int width) =>
        Assert.That(() => ModelCatalog.Build(name, new ModelOptions(new FeatureShape(channels, height, width))),
            Throws.TypeOf<ConfigurationException>().With.Message.Contains($"images of {channels}x{height}x{width}"));

    [Test]
    public void Normalisation_of_another_number_of_channels_is_refused() =>
        Assert.That(() => ModelCatalog.Build(
            "lenet", new ModelOptions(Mnist, Normalization: InputNormalizationConstants.Cifar10)),
            Throws.TypeOf<ConfigurationException>().With.Message.Contains("3 channels"));

    [Test]
    public void One_class_is_too_few() =>
        Assert.That(() => ModelCatalog.Build("lenet", new ModelOptions(Mnist, 1)), Throws.TypeOf<ConfigurationException>());
}
