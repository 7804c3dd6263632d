using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Optimization.Methods;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Stages;

/// <summary>What a training step of an arm is worth: counted, predicted and measured.</summary>
/// <param name="MultiplyAdds">Multiply-adds of one image's forward pass that belong to kept weights.</param>
/// <param name="ForecastSeconds">Seconds that the convolutions of a step of a full batch are expected to take on one core, in
/// float32; null on devices without prices.</param>
/// <param name="Seconds">Mean seconds of a step in this training; null without steps.</param>
internal sealed record StepWork(long MultiplyAdds, double? ForecastSeconds, double? Seconds) : IStoredRecord
{
    string? IStoredRecord.WrongMember() => StoredValues.First(
        ("multiply-adds", MultiplyAdds >= 0),
        ("predicted seconds", ForecastSeconds is null || StoredValues.IsAmount(ForecastSeconds.Value)),
        ("seconds of a step", Seconds is null || StoredValues.IsAmount(Seconds.Value)));

    /// <summary>Counts and predicts.</summary>
    /// <param name="backend">Where the training ran.</param>
    /// <param name="graph">Its network.</param>
    /// <param name="mask">Its mask; null for none.</param>
    /// <param name="job">The training.</param>
    /// <param name="seconds">Mean seconds of a step; null without steps.</param>
    internal static StepWork Of(IBackend backend, NetworkGraph graph, Mask? mask, TrainingJob job, double? seconds)
    {
        int attacks = TrainingMethodCatalog.Find(job.Settings.Method).AttackSteps(job.Settings, job.Attack);
        ChannelGroups groups = ChannelGroups.Of(graph);
        double? forecast = 0;
        foreach (Node node in graph.Nodes)
        {
            if (node.Layer?.ConvolutionFor(node.Inputs[0].Shape) is not { } shape)
                continue;
            // A training step needs no gradient of the images.
            bool seesImages = groups.IndexOf(node.Inputs[0]) < 0;
            Parameter weight = graph.Table[$"{node.Name}.weight"];
            int kept = mask is not null && weight.Prunable ? mask[weight].Count((byte)1) : weight.Length;
            forecast += backend.ForecastConvolution(
                shape, kept, new ConvolutionPasses(attacks + 1, attacks + (seesImages ? 0 : 1), 1));
        }

        return new StepWork(mask?.MultiplyAdds ?? graph.MultiplyAdds, forecast * job.Settings.BatchSize, seconds);
    }
}
