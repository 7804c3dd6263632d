using System.Globalization;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Runs.Tests.Stages;

/// <summary>What devices chose, in a file that several of them change.</summary>
internal sealed class KeptChoicesTests
{
    private const int Each = 25;

    [TestCase("gpu", "gpu")]
    [TestCase("gpu", "another gpu")]
    public void Of_two_that_choose_at_once_no_choice_is_lost(params string[] devices)
    {
        using var folder = new TemporaryFolder();
        using var progress = new CountingProgress();
        string path = folder["run", "choices.json"];
        DeviceChoices[] choices = [.. devices.Select(device => new DeviceChoices(device))];
        foreach (DeviceChoices device in choices)
            KeptChoices.Attach(path, device, progress, _ => { });
        Parallel.For(0, choices.Length, index =>
        {
            for (int work = 0; work < Each; work++)
                choices[index].Add(string.Create(CultureInfo.InvariantCulture, $"{index}: {work}"), "a way");
        });
        var kept = RunJson.Read<Dictionary<string, ChosenWays>>(StoredFiles.ReadText(path), path);
        Assert.Multiple(() =>
        {
            Assert.That(kept.Keys, Is.EquivalentTo(devices.Distinct()));
            Assert.That(kept.Values.Sum(device => device.Ways.Count), Is.EqualTo(choices.Length * Each));
            Assert.That(folder.Files, Is.EqualTo(new[] { "run/choices.json" }));
        });
    }
}
