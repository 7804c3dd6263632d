namespace BoostingTicket.Training.Tests;

internal sealed class SettingTests
{
    [Test]
    public void A_message_shows_paths_to_users_of_the_library_and_other_names_to_those_who_have_some()
    {
        var error = new ConfigurationException(
            $"{Setting.Named("dense.batchSize")} is 0; lower {Setting.Named("data.trainSamples")} or raise "
            + $"{Setting.Named("dense.batchSize")}.");

        Assert.That(error.Message, Is.EqualTo("dense.batchSize is 0; lower data.trainSamples or raise dense.batchSize."));
        Assert.That(error.Settings, Is.EqualTo(new[] { "dense.batchSize", "data.trainSamples" }));
        Assert.That(error.MessageWith(path => $"<{path}>"), Is.EqualTo(
            "<dense.batchSize> is 0; lower <data.trainSamples> or raise <dense.batchSize>."));
    }

    [Test]
    public void An_error_within_another_keeps_its_settings()
    {
        var inner = new ConfigurationException($"{Setting.Named("seeds")} is 0.");
        var outer = new DamagedFileException($"The file is damaged ({inner.Wording})", inner);
        Assert.That(outer.Message, Is.EqualTo("The file is damaged (seeds is 0.)"));
        Assert.That(outer.Settings, Is.EqualTo(new[] { "seeds" }));
    }

    [Test]
    public void A_training_that_is_part_of_something_has_its_settings_there()
    {
        DivergedException error = new DivergedException($"Diverged; lower {Setting.Named("learningRate")}.").Within("donor.");
        Assert.That(error.Message, Is.EqualTo("Diverged; lower donor.learningRate."));
        Assert.That(error.Settings, Is.EqualTo(new[] { "donor.learningRate" }));
    }

    [TestCase("")]
    [TestCase("no setting, no mark")]
    [TestCase("an end \uFDD1 before a start \uFDD0")]
    [TestCase("half \uFDD0 of a mark")]
    public void Text_without_whole_marks_stays(string text)
    {
        Assert.That(Setting.Show(text, _ => "changed"), Is.EqualTo(text));
        Assert.That(new ConfigurationException(text).Settings, Is.Empty);
    }
}
