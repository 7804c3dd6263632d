using System.Text;
using BoostingTicket.Fuzz.Mutation;
using BoostingTicket.Training;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Fuzz.Targets;

/// <summary>The header of a safetensors file of 16 bytes of data.</summary>
internal sealed class HeaderTarget : FuzzTarget
{
    public override string Name => "header";

    public override InputForm Form => InputForm.Json;

    public override int Weight => 3000;

    public override void Execute(byte[] input)
    {
        try
        {
            SafetensorsHeader.Parse(input, 16);
        }
        catch (FormatException error)
        {
            // The documented refusal of the parser, which its caller makes a sentence of.
            throw new DamagedFileException(error.Message, error);
        }
    }

    protected override IEnumerable<byte[]> Seeds() => ((string[])
    [
        """{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"""
            + "\"b\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[8,16]}}",
        """{"a":{"dtype":"F64","shape":[2],"data_offsets":[0,16]}}""",
        """{"a":{"dtype":"BF16","shape":[1152921504606846976],"data_offsets":[0,16]}}""",
        """{"\ud800":{"dtype":"I32","shape":[],"data_offsets":[0,4]}}""",
        """{"a":{"dtype":"F32","shape":[0,1152921504606846976],"data_offsets":[0,0]}}""",
    ]).Select(Encoding.UTF8.GetBytes);
}
