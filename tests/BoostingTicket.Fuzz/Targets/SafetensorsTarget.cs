using BoostingTicket.Fuzz.Mutation;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Fuzz.Targets;

/// <summary>A whole safetensors file: header, checksum, every tensor.</summary>
internal sealed class SafetensorsTarget : FuzzTarget
{
    public override string Name => "safetensors";

    public override InputForm Form => InputForm.Safetensors;

    public override int Weight => 2000;

    public override void Execute(byte[] input)
    {
        using SafetensorsFile file = SafetensorsFile.Open(new MemoryStream(input), "input.safetensors");
        foreach (SafetensorsEntry entry in file.Tensors)
        {
            file.ReadBytes(entry, new byte[entry.ByteLength]);
            if (entry.Type is SafetensorsType.F32 or SafetensorsType.F64 or SafetensorsType.F16 or SafetensorsType.BF16)
                file.ReadSingles(entry, new float[entry.Length]);
        }
    }

    protected override IEnumerable<byte[]> Seeds() =>
    [
        Samples.Bytes(new SafetensorsWriter().WithMetadata("k", "v").Add("a", new float[] { 1, 2 }, 2, 1)
            .Add("b", new byte[] { 1, 0, 1 }, 3)),
        Samples.Bytes(new SafetensorsWriter { Checksum = false }.Add("c", new double[] { 1 }, 1)),
        Samples.File("""{"w":{"dtype":"F32","shape":[1152921504606846976],"data_offsets":[0,4]}}""", 0, 0, 0, 0),
        Samples.File("{}"), .. ModelFileTargets.Hostile(),
    ];
}
