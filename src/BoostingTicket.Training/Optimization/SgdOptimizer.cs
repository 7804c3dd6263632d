using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Optimization;

/// <summary>Masked SGD with momentum and weight decay over the flat buffers. Pruned weights and their momenta stay exactly
/// 0.</summary>
/// <param name="network">Whose weights are stepped.</param>
/// <param name="settings">Momentum and decay.</param>
internal sealed class SgdOptimizer(Network network, TrainingSettings settings)
{
    private bool _hasSum;

    /// <summary>Sets the gradients of the last backward pass aside; the next step adds them to those that it finds.</summary>
    public void Accumulate()
    {
        ParameterStore store = network.Parameters;
        if (_hasSum)
            network.Backend.Blend(store.Gradients.All, 1, 1, store.GradientSums.All);
        else
            network.Backend.Copy(store.Gradients.All, store.GradientSums.All);
        _hasSum = true;
    }

    /// <summary>Adds the gradients that were set aside to those of the last backward pass, among which they stay.</summary>
    public void FinishSum()
    {
        if (_hasSum)
            network.Backend.Blend(network.Parameters.GradientSums.All, 1, 1, network.Parameters.Gradients.All);
        _hasSum = false;
    }

    /// <summary>One step along the gradients of the last backward pass and those set aside before.</summary>
    public void Step(double learningRate)
    {
        FinishSum();
        ParameterTable table = network.Graph.Table;
        var decayed = new SgdOptions((float)learningRate, (float)settings.Momentum, (float)settings.WeightDecay);
        SgdOptions others = settings.DecayAll ? decayed : decayed with { WeightDecay = 0 };
        Step(decayed, 0, table.PrunableLength, network.Parameters.Masks);
        Step(decayed, table.PrunableLength, table.WeightLength, null);
        Step(others, table.WeightLength, table.TrainedLength, null);
        network.Parameters.WeightsChanged();
    }

    private void Step(in SgdOptions options, int start, int end, FloatBuffer? masks)
    {
        if (start == end)
            return;
        ParameterStore store = network.Parameters;
        int length = end - start;
        network.Backend.SgdStep(
            options, new BufferSlice(store.Gradients, start, length), new BufferSlice(store.Momenta, start, length),
            masks is null ? null : new BufferSlice(masks, start, length), new BufferSlice(store.Weights, start, length));
    }
}
