using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing.Operations;

/// <summary>Whether a summand takes part, and in what memory.</summary>
public enum Summand
{
    /// <summary>None.</summary>
    None,

    /// <summary>A tensor of its own.</summary>
    Separate,

    /// <summary>The destination itself.</summary>
    Destination,
}

/// <summary>A combination of what a forward operation can end in.</summary>
/// <param name="Shift">Whether a shift is added.</param>
/// <param name="Residual">Whether a residual is added.</param>
/// <param name="Relu">Whether a ReLU follows.</param>
public sealed record ForwardVariant(bool Shift, Summand Residual, bool Relu)
{
    /// <summary>All combinations.</summary>
    public static IReadOnlyList<ForwardVariant> All { get; } =
    [
        .. from shift in new[] { false, true }
           from residual in Enum.GetValues<Summand>()
           from relu in new[] { false, true }
           select new ForwardVariant(shift, residual, relu),
    ];

    /// <summary>All combinations without a shift.</summary>
    public static IReadOnlyList<ForwardVariant> WithoutShift { get; } = [.. All.Where(variant => !variant.Shift)];

    /// <summary>Declares the epilogue's operands and the destination.</summary>
    public ForwardEpilogue Declare(OperationBench bench, int batch, FeatureShape shape, out Tensor y)
    {
        BufferSlice? shift = Shift ? bench.Operand("shift", bench.Random.Normal(shape.Channels)) : null;
        Tensor? residual = Residual == Summand.Separate ? bench.Operand("residual", batch, shape) : null;
        y = Residual == Summand.Destination ? bench.Updated("y", batch, shape) : bench.Destination("y", batch, shape);
        return new ForwardEpilogue(shift, Residual == Summand.Destination ? y : residual, Relu);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Concat(
        Shift ? " +shift" : "", Residual switch
        {
            Summand.Separate => " +residual",
            Summand.Destination => " +residual in y",
            _ => "",
        },
        Relu ? " relu" : "");
}

/// <summary>A combination of what a gradient operation can end in.</summary>
/// <param name="Addend">Whether another gradient is added.</param>
/// <param name="Relu">Whether the gradient goes back through a ReLU.</param>
public sealed record GradientVariant(Summand Addend, bool Relu)
{
    /// <summary>All combinations.</summary>
    public static IReadOnlyList<GradientVariant> All { get; } =
    [
        .. from addend in Enum.GetValues<Summand>()
           from relu in new[] { false, true }
           select new GradientVariant(addend, relu),
    ];

    /// <summary>Declares the epilogue's operands and the destination.</summary>
    public GradientEpilogue Declare(
        OperationBench bench, int batch, FeatureShape shape, out Tensor dx, Match match = Match.Close)
    {
        Tensor? addend = Addend == Summand.Separate ? bench.Operand("addend", batch, shape) : null;
        Tensor? reluOutput = Relu ? ReluOutput(bench, batch, shape) : null;
        if (Relu)
            match = Match.CloseWithExactZeros;
        dx = Addend == Summand.Destination
            ? bench.Updated("dx", batch, shape, match: match)
            : bench.Destination("dx", batch, shape, match);
        return new GradientEpilogue(Addend == Summand.Destination ? dx : addend, reluOutput);
    }

    /// <summary>Declares the output of a ReLU: about half of it exact zeros.</summary>
    public static Tensor ReluOutput(OperationBench bench, int batch, FeatureShape shape)
    {
        ArgumentNullException.ThrowIfNull(bench);
        float[] values = bench.Random.Normal(batch * shape.Length);
        return bench.Operand("reluOutput", batch, shape, Array.ConvertAll(values, value => Math.Max(value, 0)));
    }

    /// <inheritdoc/>
    public override string ToString() => string.Concat(
        Addend switch
        {
            Summand.Separate => " +addend",
            Summand.Destination => " +addend in dx",
            _ => "",
        },
        Relu ? " relu" : "");
}
