using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Optimization.Methods;

/// <summary>A tensor with memory of its own, which no plan disturbs.</summary>
internal sealed class OwnTensor : IDisposable
{
    private readonly Arena _arena;

    /// <summary>Gives a described tensor memory; its contents are undefined until written.</summary>
    /// <param name="backend">The tensor's backend.</param>
    /// <param name="described">A tensor without memory.</param>
    public OwnTensor(IBackend backend, Tensor described)
    {
        _arena = backend.CreateArena(described.Bytes);
        backend.Place(described, _arena, 0);
        Tensor = described;
    }

    /// <summary>The tensor.</summary>
    public Tensor Tensor { get; }

    /// <inheritdoc/>
    public void Dispose() => _arena.Dispose();
}
