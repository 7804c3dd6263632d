using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing.Operations;

/// <summary>Whether a summand takes part, and in what memory.</summary>
internal enum Summand
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
/// <param name="Activation">The function at the end.</param>
internal sealed record ForwardVariant(bool Shift, Summand Residual, Activation Activation)
{
    /// <summary>All combinations.</summary>
    public static IReadOnlyList<ForwardVariant> All { get; } =
    [
        .. from shift in new[] { false, true }
           from residual in Enum.GetValues<Summand>()
           from activation in ActivationTruth.All
           where activation.Kind <= ActivationKind.Relu || (shift == (residual == Summand.Destination))
           select new ForwardVariant(shift, residual, activation),
    ];

    /// <summary>All combinations without a shift; activations besides ReLU without a summand in the destination.</summary>
    public static IReadOnlyList<ForwardVariant> WithoutShift { get; } = [.. All.Where(variant => !variant.Shift)];

    /// <summary>Declares the epilogue's operands and the destination.</summary>
    public ForwardEpilogue Declare(OperationBench bench, int batch, FeatureShape shape, out Tensor y)
    {
        BufferSlice? shift = Shift ? bench.Operand("shift", bench.Random.Normal(shape.Channels)) : null;
        Tensor? residual = Residual == Summand.Separate ? bench.Operand("residual", batch, shape) : null;
        y = Residual == Summand.Destination ? bench.Updated("y", batch, shape) : bench.Destination("y", batch, shape);
        return new ForwardEpilogue(shift, Residual == Summand.Destination ? y : residual, Activation);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Concat(
        Shift ? " +shift" : "", Residual switch
        {
            Summand.Separate => " +residual",
            Summand.Destination => " +residual in y",
            _ => "",
        },
        Activation == Activation.None ? "" : $" {Activation}");
}

/// <summary>A combination of what a gradient operation can end in.</summary>
/// <param name="Addend">Whether another gradient is added.</param>
/// <param name="Activation">What the gradient goes back through.</param>
internal sealed record GradientVariant(Summand Addend, Activation Activation)
{
    /// <summary>All combinations.</summary>
    public static IReadOnlyList<GradientVariant> All { get; } =
    [
        .. from addend in Enum.GetValues<Summand>()
           from activation in ActivationTruth.All
           select new GradientVariant(addend, activation),
    ];

    /// <summary>How results are compared: no backend may let a closed ReLU through, but exponentials vanish at different
    /// places.</summary>
    internal Match ExactZeros => Activation.NeedsInput ? Match.Close : Match.CloseWithExactZeros;

    /// <summary>Declares the epilogue's operands and the destination.</summary>
    public GradientEpilogue Declare(
        OperationBench bench, int batch, FeatureShape shape, out Tensor dx, Match match = Match.Close)
    {
        Tensor? addend = Addend == Summand.Separate ? bench.Operand("addend", batch, shape) : null;
        Tensor? through = Through(bench, batch, shape);
        if (Activation == Activation.Relu)
            match = Match.CloseWithExactZeros;
        dx = Addend == Summand.Destination
            ? bench.Updated("dx", batch, shape, match: match)
            : bench.Destination("dx", batch, shape, match);
        return new GradientEpilogue(Addend == Summand.Destination ? dx : addend, through, Activation);
    }

    /// <summary>Declares what the derivative is taken from; null without activation. Of a ReLU about half are exact zeros, of
    /// SiLU some values are so large that their exponentials are not finite.</summary>
    public Tensor? Through(OperationBench bench, int batch, FeatureShape shape)
    {
        ArgumentNullException.ThrowIfNull(bench);
        if (Activation == Activation.None)
            return null;
        float[] values = bench.Random.Normal(batch * shape.Length);
        for (int i = 0; Activation.NeedsInput && i < values.Length; i += 7)
            values[i] *= i % 2 == 0 ? 4 : 100;
        return bench.Operand("through", batch, shape, Activation.Kind == ActivationKind.Relu
            ? Array.ConvertAll(values, value => Math.Max(value, 0))
            : values);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Concat(
        Addend switch
        {
            Summand.Separate => " +addend",
            Summand.Destination => " +addend in dx",
            _ => "",
        },
        Activation == Activation.None ? "" : $" {Activation}");
}
