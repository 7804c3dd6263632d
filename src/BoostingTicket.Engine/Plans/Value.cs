using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Plans;

/// <summary>A feature map of a plan, or the gradient of one: a tensor and the span of operations in which it must live.</summary>
public sealed class Value
{
    internal Value(string name, Tensor tensor, bool isExternal)
    {
        Name = name;
        Tensor = tensor;
        IsExternal = isExternal;
    }

    /// <summary>Name, for errors and pictures.</summary>
    public string Name { get; }

    /// <summary>The tensor; the plan places it.</summary>
    public Tensor Tensor { get; }

    /// <summary>Shape of one sample.</summary>
    public FeatureShape Shape => Tensor.Shape;

    /// <summary>Whether the caller owns the memory.</summary>
    internal bool IsExternal { get; }

    /// <summary>Whether the backward pass has to find this value's gradient.</summary>
    internal bool NeedsGradient { get; set; }

    /// <summary>Where the gradient is, once something contributed to it. Several values may share one while they are equal.</summary>
    internal Value? Gradient { get; set; }

    /// <summary>The operation that wrote <see cref="Gradient"/> last, if an activation's derivative can still be fused into
    /// it.</summary>
    internal PendingGradient? PendingGradient { get; set; }

    /// <summary>Of a gradient: the values whose gradient it is.</summary>
    internal List<Value> Sharers { get; } = [];

    /// <summary>Whether the backward pass of the operation that made this value was emitted, so that its gradient is not
    /// read again.</summary>
    internal bool IsDone { get; set; }

    internal int FirstUse { get; set; } = int.MaxValue;

    internal int LastUse { get; set; } = -1;

    /// <inheritdoc/>
    public override string ToString() => $"{Name} ({Tensor})";
}

/// <summary>Where a gradient contribution goes.</summary>
/// <param name="Owner">The value whose gradient it is; null for a gradient that nobody reads.</param>
/// <param name="Destination">The gradient's storage.</param>
/// <param name="Addend">What was contributed before, or null for the first contribution.</param>
public readonly record struct GradientTarget(Value? Owner, Value Destination, Value? Addend);

/// <summary>A gradient operation whose epilogue may still change.</summary>
internal sealed class PendingGradient(PlanOperation operation)
{
    public PlanOperation Operation { get; } = operation;

    /// <summary>What the activation's derivative is taken from; null as long as none was fused.</summary>
    public Tensor? Through { get; set; }

    public Activation Activation { get; set; }
}

/// <summary>What was fused behind an operation.</summary>
/// <param name="Last">The node whose output the fused operation computes.</param>
/// <param name="Residual">The other operand of a fused sum, or null.</param>
/// <param name="Activation">The fused activation, whose derivative the output tells.</param>
public readonly record struct FusedTail(Graph.Node Last, Value? Residual, Activation Activation);
