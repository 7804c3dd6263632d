namespace BoostingTicket.Engine.Backends;

/// <summary>One block of a backend's memory in which tensors are placed at offsets that a plan computed in advance.
/// Plans that never run at the same time share one arena.</summary>
internal abstract class Arena : IDisposable
{
    /// <summary>Bytes.</summary>
    public abstract long Bytes { get; }

    /// <summary>Frees the memory; tensors placed in it must not be used afterwards.</summary>
    public abstract void Dispose();
}
