using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Graph;

/// <summary>A feature map of a compiled graph, or the gradient of one, as layers see it. Whoever compiles the graph makes it and
/// knows the rest.</summary>
internal abstract class Value
{
    /// <param name="name">Name, for errors and pictures.</param>
    /// <param name="tensor">The tensor.</param>
    protected Value(string name, Tensor tensor)
    {
        Name = name;
        Tensor = tensor;
    }

    /// <summary>Name, for errors and pictures.</summary>
    public string Name { get; }

    /// <summary>The tensor; it has memory when operations run.</summary>
    public Tensor Tensor { get; }

    /// <summary>Shape of one sample.</summary>
    public FeatureShape Shape => Tensor.Shape;

    /// <inheritdoc/>
    public override string ToString() => $"{Name} ({Tensor})";
}

/// <summary>Where a gradient contribution goes.</summary>
/// <param name="Owner">The value whose gradient it is; null for a gradient that nobody reads.</param>
/// <param name="Destination">The gradient's storage.</param>
/// <param name="Addend">What was contributed before, or null for the first contribution.</param>
internal readonly record struct GradientTarget(Value? Owner, Value Destination, Value? Addend);

/// <summary>What was fused behind an operation.</summary>
/// <param name="Last">The node whose output the fused operation computes.</param>
/// <param name="Residual">The other operand of a fused sum, or null.</param>
/// <param name="Activation">The fused activation, whose derivative the output tells.</param>
internal readonly record struct FusedTail(Node Last, Value? Residual, Activation Activation);
