using System.Text;
using BoostingTicket.Fuzz.Mutation;
using BoostingTicket.Runs.Configuration;

namespace BoostingTicket.Fuzz.Targets;

/// <summary>A configuration file: what it says besides settings, and the settings laid over their preset and checked.</summary>
internal sealed class ConfigurationTarget : FuzzTarget
{
    public override string Name => "configuration";

    public override InputForm Form => InputForm.Json;

    public override int Weight => 150;

    // A setting names the network.
    public override long FixedBytes => DeepestGraph + Besides;

    public override void Execute(byte[] input)
    {
        string path = Scratch.Write("settings.json", input);
        ConfigurationSources.ReadSurroundings(path);
        new ConfigurationSources(null, path, []).Compose();
    }

    protected override IEnumerable<byte[]> Seeds() => ((string[])
    [
        RunJson.Write(Samples.Configuration), RunJson.Write(Presets.Find("cifar10-resnet18").Configuration),
        """{"preset":"quick","threads":2,"out":"a","dataFolder":"b","attack":{"epsilon":"8/255"}}""",
        """{"preset":"\ud800"}""", """{"model":"\udc00x"}""",
        """{"seed":1,"seed":2}""", """{"dense":{"epochs":1,"epochs":2}}""", """{"out":"a\u0000b"}""",
        """{"\ud800":1}""", """{"arms":["dense",null]}""", """{"threads":"\ud800","dense":null}""", "[]", "{}",
        """{"model":"wrn-1000-10"}""",
    ]).Select(Encoding.UTF8.GetBytes);
}
