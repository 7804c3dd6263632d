using System.Text;
using System.Text.Json;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Tests.Files;

internal class CanonicalJsonTests
{
    [TestCase("""{ "b": 1, "a": [true, null, "x"] }""", """{"a":[true,null,"x"],"b":1}""")]
    [TestCase("""{"a":1.0,"b":1e3,"c":-0.0,"d":0.1,"e":1E-1}""", """{"a":1,"b":1000,"c":0,"d":0.1,"e":0.1}""")]
    [TestCase(
        """[18446744073709551615,-9223372036854775808,9007199254740993]""",
        "[18446744073709551615,-9223372036854775808,9007199254740993]")]
    [TestCase("""{"\u0061":"\u0041\/\u00e9\n"}""", "{\"a\":\"A/\u00e9\\n\"}")]
    public void Has_one_spelling(string json, string expected)
    {
        using var document = JsonDocument.Parse(json);
        Assert.That(Encoding.UTF8.GetString(CanonicalJson.Write(document.RootElement)), Is.EqualTo(expected));
    }

    [Test]
    public void Hash_depends_on_the_meaning_alone()
    {
        string hash = CanonicalJson.Hash("""{"rate":0.1,"steps":10}""");
        Assert.That(hash, Is.EqualTo(
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("{\"rate\":0.1,\"steps\":10}"u8))));
        Assert.That(CanonicalJson.Hash("""{ "steps": 1e1, "rate": 1e-1 }"""), Is.EqualTo(hash));
        Assert.That(CanonicalJson.Hash("""{"rate":0.1,"steps":11}"""), Is.Not.EqualTo(hash));
    }

    [TestCase("""{"a":1,"a":1}""")]
    [TestCase("""{"a":1""")]
    [TestCase("1e999")]
    public void Refuses_what_has_no_one_meaning(string json) =>
        Assert.That(() => CanonicalJson.Hash(json), Throws.InstanceOf<JsonException>());
}
