using System.Text.Json;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Runs.Tests.Configuration;

/// <summary>Which settings a hash knows of.</summary>
internal sealed class SettingsIdentityTests
{
    private static readonly JsonSerializerOptions Grown = SettingsIdentity.OptionsFor(
        new Dictionary<Type, HashSet<string>>
        {
            [typeof(Settings)] = [nameof(Settings.Old), nameof(Settings.Inner)],
            [typeof(Inner)] = [nameof(Inner.Rate)],
        });

    private static string Hash(object settings) => CanonicalJson.Hash(JsonSerializer.SerializeToElement(settings, Grown));

    [Test]
    public void A_setting_that_came_later_does_not_change_a_hash_while_it_is_at_its_default()
    {
        // What the program wrote before it had New, List and Later.
        string before = CanonicalJson.Hash("""{"old":1,"inner":{"rate":0.5}}""");

        Assert.That(Hash(new Settings()), Is.EqualTo(before));
        Assert.That(Hash(new Settings { List = [1, 2] }), Is.EqualTo(before), "lists compare by what they hold");
        Assert.That(Hash(new { Settings = new Settings(), Seed = 1 }),
            Is.EqualTo(CanonicalJson.Hash("""{"settings":{"old":1,"inner":{"rate":0.5}},"seed":1}""")));
    }

    [Test]
    public void A_setting_that_came_later_counts_away_from_its_default()
    {
        string[] hashes =
        [
            Hash(new Settings()), Hash(new Settings { New = "b" }), Hash(new Settings { New = null }),
            Hash(new Settings { List = [2, 1] }), Hash(new Settings { Inner = new Inner { Later = 3 } }),
        ];

        Assert.That(hashes, Is.Unique);
    }

    [Test]
    public void A_first_setting_counts_at_its_default_too()
    {
        JsonElement written = SettingsIdentity.Of(new RunConfiguration());

        Assert.That(written.GetProperty("donor").GetProperty("methodOptions").GetProperty("replays").GetInt32(), Is.EqualTo(8));
        Assert.That(written.GetProperty("pruning").GetProperty("earlyBird").ValueKind, Is.EqualTo(JsonValueKind.Null));
    }

    private sealed record Settings
    {
        public int Old { get; init; } = 1;

        public Inner Inner { get; init; } = new();

        public string? New { get; init; } = "a";

        public IReadOnlyList<int> List { get; init; } = [1, 2];
    }

    private sealed record Inner
    {
        public double Rate { get; init; } = 0.5;

        public int? Later { get; init; }
    }
}
