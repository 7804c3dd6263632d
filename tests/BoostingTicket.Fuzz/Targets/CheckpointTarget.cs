using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Fuzz.Mutation;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Optimization;

namespace BoostingTicket.Fuzz.Targets;

/// <summary>A checkpoint of a training.</summary>
internal sealed class CheckpointTarget : FuzzTarget
{
    private readonly IBackend _backend = CpuBackend.Create(threads: 1);
    private Network? _network;

    public override string Name => "checkpoint";

    public override InputForm Form => InputForm.Safetensors;

    public override int Weight => 300;

    public override void Execute(byte[] input) =>
        TrainingCheckpoint.Load(Scratch.Write("checkpoint.safetensors", input), _network!, Samples.Metadata.ConfigurationHash!);

    protected override IEnumerable<byte[]> Seeds()
    {
        _network = new Network(Samples.Graph, _backend);
        Samples.State.CopyTo(_network.Parameters, _backend);
        yield return Save(new TrainingState
        {
            Epoch = 2,
            Batch = 3,
            History = [.. Samples.History],
            SampleCount = 9,
            CorrectCount = 4,
            BestScore = 0.5,
            BestEpoch = 1
        });
        _network.Parameters.SetMasks([.. Enumerable.Repeat(1f, Samples.Graph.Table.PrunableLength)]);
        var state = new TrainingState { Warnings = ["a \"warning\""], MaskDistance = 0.1 };
        state.KeptBytes["early-bird.0"] = [1, 2, 3];
        state.KeptValues["average"] = [1, 2, 3];
        yield return Save(state);
    }

    protected override void Dispose(bool disposing)
    {
        _network?.Dispose();
        _backend.Dispose();
        base.Dispose(disposing);
    }

    private byte[] Save(TrainingState state)
    {
        TrainingCheckpoint.Save(Scratch["seed.safetensors"], _network!, state, Samples.Metadata);
        return File.ReadAllBytes(Scratch["seed.safetensors"]);
    }
}
