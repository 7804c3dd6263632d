using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing;

/// <summary>Which tensors the reference backend's operations read and wrote.</summary>
internal sealed class TensorAccesses
{
    /// <summary>Whether accesses are recorded; off at first.</summary>
    public bool Recording { get; set; }

    /// <summary>Tensors read since <see cref="Clear"/>.</summary>
    public ICollection<Tensor> Read { get; } = new HashSet<Tensor>(ReferenceEqualityComparer.Instance);

    /// <summary>Tensors written since <see cref="Clear"/>.</summary>
    public ICollection<Tensor> Written { get; } = new HashSet<Tensor>(ReferenceEqualityComparer.Instance);

    /// <summary>Forgets what was recorded.</summary>
    public void Clear()
    {
        Read.Clear();
        Written.Clear();
    }

    internal void Add(ICollection<Tensor> accessed, Tensor tensor)
    {
        if (Recording)
            accessed.Add(tensor);
    }
}
