using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Optimization;

/// <summary>The exponential moving average of a network's weights and running statistics over its steps, from the initial weights
/// on. Where weights are pruned, so is the average: a mean of zeros is exactly 0.</summary>
/// <remarks>After step t (1 for the first) <c>average = f average + (1 - f) weights</c> with
/// <c>f = min(decay, (1 + t) / (10 + t))</c>: the ramp of Rebuffi et al. (2021), without which a training shorter than some
/// <c>1 / (1 - decay)</c> steps would average its initial weights.</remarks>
internal sealed class WeightAverage : IDisposable
{
    private const string WeightsName = "average.weights", StatisticsName = "average.statistics";

    private readonly Network _network;
    private readonly double _decay;
    private readonly FloatBuffer _weights;
    private readonly FloatBuffer _statistics;
    private readonly FloatBuffer _exchanged;

    /// <summary>Begins the average at the network's present values.</summary>
    /// <param name="network">The network.</param>
    /// <param name="decay">Share of the old average that a step leaves, in [0, 1).</param>
    public WeightAverage(Network network, double decay)
    {
        ArgumentNullException.ThrowIfNull(network);
        _network = network;
        _decay = decay;
        ParameterTable table = network.Graph.Table;
        _weights = network.Backend.CreateFloats(table.TrainedLength);
        _statistics = network.Backend.CreateFloats(table.StatisticsLength);
        _exchanged = network.Backend.CreateFloats(table.StatisticsLength);
        Begin();
    }

    private bool HasStatistics => _statistics.Length > 0;

    /// <summary>Bytes on the device that an average of a model takes.</summary>
    public static long Bytes(ParameterTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        return sizeof(float) * (table.TrainedLength + 2L * table.StatisticsLength);
    }

    /// <summary>The share of the old average that a step leaves.</summary>
    /// <param name="decay">The least share once the average has run in.</param>
    /// <param name="step">1 for the first.</param>
    public static double FactorAt(double decay, long step) => Math.Min(decay, (1.0 + step) / (10.0 + step));

    /// <summary>Starts again at the network's present values.</summary>
    public void Begin()
    {
        ParameterStore store = _network.Parameters;
        _network.Backend.Copy(store.Weights.All, _weights.All);
        if (HasStatistics)
            _network.Backend.Copy(store.Statistics.All, _statistics.All);
    }

    /// <summary>Takes a step of the weights in.</summary>
    /// <param name="step">1 for the first.</param>
    public void Add(long step)
    {
        double factor = FactorAt(_decay, step);
        float old = (float)factor, present = (float)(1 - factor);
        ParameterStore store = _network.Parameters;
        _network.Backend.Blend(store.Weights.All, present, old, _weights.All);
        if (HasStatistics)
            _network.Backend.Blend(store.Statistics.All, present, old, _statistics.All);
    }

    /// <summary>Puts the average into the network and the network's values in its place; once more puts both back. Overwrites
    /// gradients, which nobody reads between steps.</summary>
    public void Exchange()
    {
        ParameterStore store = _network.Parameters;
        Exchange(store.Weights.All, _weights.All, store.Gradients.All);
        if (HasStatistics)
            Exchange(store.Statistics.All, _statistics.All, _exchanged.All);
        store.WeightsChanged();
        store.StatisticsChanged();
    }

    /// <summary>Keeps the average for a checkpoint.</summary>
    public void Keep(TrainingState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        state.Keep(WeightsName, _network.Backend, _weights.All);
        if (HasStatistics)
            state.Keep(StatisticsName, _network.Backend, _statistics.All);
    }

    /// <summary>Restores the average from a checkpoint.</summary>
    /// <exception cref="DamagedFileException">The checkpoint has none.</exception>
    public void Restore(TrainingState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        _network.Backend.Upload(state.Kept(WeightsName, _weights.Length), _weights.All);
        if (HasStatistics)
            _network.Backend.Upload(state.Kept(StatisticsName, _statistics.Length), _statistics.All);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _weights.Dispose();
        _statistics.Dispose();
        _exchanged.Dispose();
    }

    private void Exchange(BufferSlice present, BufferSlice average, BufferSlice scratch)
    {
        IBackend backend = _network.Backend;
        backend.Copy(present, scratch);
        backend.Copy(average, present);
        backend.Copy(scratch, average);
    }
}
