using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Optimization.Methods;

namespace BoostingTicket.Training.Optimization.Replicas;

/// <summary>The samples of a replica: its place in the step, the method's step for it, and where its images wait while shards of
/// the same size use the same buffers.</summary>
internal sealed class Shard : IDisposable
{
    private readonly IBackend _backend;
    private readonly OwnTensor? _clean;
    private readonly OwnTensor? _input;

    /// <summary>Makes room for the images.</summary>
    /// <param name="number">Number of the shard in the step.</param>
    /// <param name="start">Its first sample.</param>
    /// <param name="network">The network.</param>
    /// <param name="buffers">Buffers of its size.</param>
    /// <param name="method">The method's step for it.</param>
    /// <param name="isAlone">Whether nobody else uses the buffers.</param>
    public Shard(int number, int start, Network network, BatchBuffers buffers, MethodStep method, bool isAlone)
    {
        (_backend, Number, Start, Buffers, Method) = (network.Backend, number, start, buffers, method);
        if (isAlone)
            return;
        FeatureShape image = network.Graph.Input.Shape;
        if (method.Destination == buffers.Clean)
            _clean = new OwnTensor(_backend, _backend.DescribeImages(buffers.Batch, image));
        _input = new OwnTensor(_backend, _backend.DescribeImages(buffers.Batch, image));
    }

    /// <summary>Number of the shard in the step.</summary>
    public int Number { get; }

    /// <summary>Its first sample.</summary>
    public int Start { get; }

    /// <summary>Samples.</summary>
    public int Length => Buffers.Batch;

    /// <summary>What the method works on.</summary>
    public BatchBuffers Buffers { get; }

    /// <summary>The method's step.</summary>
    public MethodStep Method { get; }

    /// <summary>Where clean images are loaded to.</summary>
    public Tensor Destination => (_clean ?? _input)?.Tensor ?? Method.Destination;

    /// <summary>Puts clean images where the method expects them.</summary>
    public void BringClean()
    {
        if (_clean is not null)
            _backend.Copy(_clean.Tensor, Buffers.Clean);
    }

    /// <summary>Sets aside what the attack made.</summary>
    public void KeepAttacked()
    {
        // Where nothing is attacked, images wait there since they were loaded.
        if (_clean is not null)
            _backend.Copy(Buffers.Input, _input!.Tensor);
    }

    /// <summary>Puts back what was set aside.</summary>
    public void BringAttacked()
    {
        BringClean();
        if (_input is not null)
            _backend.Copy(_input.Tensor, Buffers.Input);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Method.Dispose();
        _clean?.Dispose();
        _input?.Dispose();
    }
}
