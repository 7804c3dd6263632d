using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Plans;

/// <summary>A value of a plan: where its gradient is, and the span of operations in which it must live. The plan places its
/// tensor.</summary>
internal sealed class PlanValue(string name, Tensor tensor, bool isExternal) : Value(name, tensor)
{
    /// <summary>Whether the caller owns the memory.</summary>
    public bool IsExternal { get; } = isExternal;

    /// <summary>Whether the backward pass has to find this value's gradient.</summary>
    public bool NeedsGradient { get; set; }

    /// <summary>Where the gradient is, once something contributed to it. Several values may share one while they are
    /// equal.</summary>
    public PlanValue? Gradient { get; set; }

    /// <summary>The operation that wrote <see cref="Gradient"/> last, if an activation's derivative can still be fused into
    /// it.</summary>
    public PendingGradient? PendingGradient { get; set; }

    /// <summary>The operation into which the derivative of the activation that made this value was fused; null where none
    /// was.</summary>
    public PendingGradient? ActivatedGradient { get; set; }

    /// <summary>Of a gradient: the values whose gradient it is.</summary>
    public List<PlanValue> Sharers { get; } = [];

    /// <summary>Whether the backward pass of the operation that made this value was emitted, so that its gradient is not
    /// read again.</summary>
    public bool IsDone { get; set; }

    public int FirstUse { get; set; } = int.MaxValue;

    public int LastUse { get; set; } = -1;

    /// <summary>What the plan knows of a value that a layer holds; layers have theirs from the plan's compilation
    /// alone.</summary>
    public static PlanValue Of(Value value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return (PlanValue)value;
    }
}

/// <summary>A gradient operation whose epilogue may still change.</summary>
internal sealed class PendingGradient(PlanOperation operation, bool canScale)
{
    public PlanOperation Operation { get; } = operation;

    /// <summary>Whether a scale and a sum may follow in the same operation.</summary>
    public bool CanScale { get; } = canScale;

    /// <summary>What the activation's derivative is taken from; null as long as none was fused.</summary>
    public Tensor? Through { get; set; }

    public Activation Activation { get; set; }

    /// <summary>The scale and the sum that follow; null as long as none was fused.</summary>
    public GradientScaling? Scaling { get; set; }
}

/// <summary>A normalisation by constants that a gradient operation goes back through at its end.</summary>
/// <param name="Destination">Gradient of the normalisation's input.</param>
/// <param name="Scale">A factor for each channel.</param>
/// <param name="Summand">What was contributed to that gradient before, or null.</param>
internal readonly record struct GradientScaling(PlanValue Destination, BufferSlice Scale, PlanValue? Summand);
