using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Checkpoints;

/// <summary>Constants of normalisation for images of 0 to 255, where images are in [0, 1].</summary>
internal sealed class PixelScaleTests
{
    private static readonly float[] Mean = [125.3f, 123f, 113.9f], Deviation = [63f, 62.1f, 66.7f];

    private TemporaryFolder _folder = null!;

    [SetUp]
    public void CreateFolder() => _folder = new TemporaryFolder();

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void An_import_divides_them_by_255_and_says_so()
    {
        Write(Mean, Deviation);
        ImportedWeights imported = WeightImport.Read(_folder["foreign"], new ImportOptions("resnet18-w2"));
        Assert.That(imported.Normalization!.Mean, Is.EqualTo(Mean.Select(value => value / 255)).Within(1e-6));
        Assert.That(imported.Normalization!.Deviation, Is.EqualTo(Deviation.Select(value => value / 255)).Within(1e-6));
        Assert.That(imported.Repairs.Single(repair => repair.Kind == "pixel-scale").Description,
            Does.Contain("0 to 255").And.Contain("0.49"));
    }

    [Test]
    public void Constants_of_two_scales_are_refused()
    {
        Write(Mean, [0.25f, 0.25f, 0.25f]);
        Assert.That(
            () => WeightImport.Read(_folder["foreign"], new ImportOptions("resnet18-w2")),
            Throws.TypeOf<DamagedFileException>().With.Message.Contains("with normalization"));
        ImportedWeights given = WeightImport.Read(
            _folder["foreign"],
            new ImportOptions("resnet18-w2", Normalization: InputNormalizationConstants.Cifar10, NormalizationGiven: true));
        Assert.That(given.Normalization, Is.SameAs(InputNormalizationConstants.Cifar10));
    }

    [Test]
    public void A_weights_file_that_records_them_is_refused_with_the_remedy()
    {
        WeightFile.Save(_folder["own"], ModelFileFixture.State,
            ModelFileFixture.Metadata with { Normalization = new InputNormalizationConstants(Mean, Deviation) });
        Assert.That(
            () => WeightFile.ReadMetadata(_folder["own"]),
            Throws.TypeOf<DamagedFileException>().With.Message.Contains("divided by 255").And.Message.Contains("import"));
    }

    [TestCase(new[] { 0.5f }, new[] { 0.5f }, true)]
    [TestCase(new[] { 0f }, new[] { 1f }, true)]
    [TestCase(new[] { 0f }, new[] { 255f }, false)]
    [TestCase(new[] { 33.3f }, new[] { 78.6f }, false)]
    public void Scales_are_told_apart(float[] mean, float[] deviation, bool unit)
    {
        var constants = new InputNormalizationConstants(mean, deviation);
        Assert.That(constants.AreForUnitPixels, Is.EqualTo(unit));
        Assert.That(constants.FromBytePixels is null, Is.EqualTo(unit));
    }

    private void Write(float[] mean, float[] deviation) => ForeignFile.Write(
        _folder["foreign"], ModelFileFixture.State, name => name, extra: writer =>
            writer.Add("mu", mean, 3).Add("sigma", deviation, 3));
}
