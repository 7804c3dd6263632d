using BoostingTicket.Engine.Devices;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Classifiers;

/// <summary>Where and how a <see cref="Classifier"/> computes.</summary>
public sealed record ClassifierOptions
{
    /// <summary>The device: <c>auto</c> (a GPU that can be used, else the processor), <c>cpu</c>, <c>cuda</c> or
    /// <c>cuda:1</c>.</summary>
    public string Device { get; init; } = DeviceCatalog.Auto;

    /// <summary>Threads of the processor; 0 for one a processor. Any number gives the same bits.</summary>
    public int Threads { get; init; }

    /// <summary>Number format; null for the device's own choice: float32 on the processor, the fastest that a GPU has.</summary>
    public Precision? Precision { get; init; }

    /// <summary>Whether a GPU takes only algorithms that give the same bits in every process. The processor always
    /// does.</summary>
    public bool Deterministic { get; init; }

    /// <summary>Images at a time in predictions and attacks, 1 to 65,536. Results do not depend on it.</summary>
    public int BatchSize { get; init; } = 128;
}
