using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing.Operations;

/// <summary>How a backend's output is compared with the reference's.</summary>
internal enum Match
{
    /// <summary>Within the case's tolerance.</summary>
    Close,

    /// <summary>Within the case's tolerance, and exactly zero wherever the reference is.</summary>
    CloseWithExactZeros,

    /// <summary>The same number.</summary>
    Exact,

    /// <summary>The same number with the same sign of zero.</summary>
    SameBits,
}

/// <summary>How far an output may lie from the reference's.</summary>
/// <param name="SquaredError">Bound of Σ(a-b)² / Σb², a backend's a against the reference's b.</param>
/// <param name="LargestError">Bound of max |a-b|, in units of the root mean square of b.</param>
internal readonly record struct Tolerance(double SquaredError, double LargestError)
{
    /// <summary>A handful of float32 roundings.</summary>
    public static Tolerance Float32 { get; } = new(1e-12, 1e-5);

    /// <summary>Long float32 sums, and convolutions computed by minimal filtering (Winograd).</summary>
    public static Tolerance LongSum { get; } = new(1e-10, 1e-4);

    /// <summary>Factors rounded to TF32's 10 bits.</summary>
    public static Tolerance TensorFloat32 { get; } = new(1e-6, 1e-1);

    /// <summary>Results rounded to bfloat16's 7 bits, some of them several times. Where most results are zero, the others are
    /// many times the root mean square, and so are their errors: the squared error is what bounds them.</summary>
    public static Tolerance BFloat16 { get; } = new(1e-4, 1);

    /// <summary>Both factors of every product rounded to bfloat16's 7 bits, sums and results in float32: some 2e-6 of the
    /// squares, and 1.4e-5 in the worst case of the table, which has ten values. A value of a few products may lie off by 2^-8 of
    /// the largest.</summary>
    public static Tolerance ShortProducts { get; } = new(3e-5, 5e-2);

    /// <summary>Sums in double precision.</summary>
    public static Tolerance Float64 { get; } = new(1e-24, 1e-12);

    /// <summary>The same bounds, or those of a shorter number format where they are wider.</summary>
    public Tolerance AtLeast(Precision precision)
    {
        Tolerance least = precision switch
        {
            Precision.TensorFloat32 => TensorFloat32,
            Precision.BFloat16 => BFloat16,
            _ => this,
        };
        return AtLeast(least);
    }

    /// <summary>The wider bounds of two.</summary>
    public Tolerance AtLeast(Tolerance other) =>
        new(Math.Max(SquaredError, other.SquaredError), Math.Max(LargestError, other.LargestError));
}

/// <summary>One row of the operation table: what to prepare, run and compare on any backend.</summary>
/// <param name="Name">Unique; starts with the operation's name. Seeds the inputs, so it replays them.</param>
/// <param name="Tolerance">Bounds for outputs that are not compared exactly.</param>
/// <param name="Body">Declares operands on the bench and calls <see cref="OperationBench.Execute"/> once.</param>
internal sealed record OperationCase(string Name, Tolerance Tolerance, Action<OperationBench> Body)
{
    /// <summary>A case within <see cref="Tolerance.Float32"/>.</summary>
    public OperationCase(string name, Action<OperationBench> body) : this(name, Tolerance.Float32, body) { }

    /// <summary>Runs the case on a backend.</summary>
    /// <param name="backend">The backend.</param>
    /// <param name="precision">Number format that tensors' initial values are rounded to, so that a backend of that precision and
    /// the reference begin with the same numbers.</param>
    /// <returns>Its outputs.</returns>
    /// <exception cref="OperationFailedException">The operation wrote where it must not.</exception>
    public IReadOnlyList<Output> Run(IBackend backend, Precision precision = Precision.Float32)
    {
        using var bench = new OperationBench(Name, backend, precision);
        Body(bench);
        return bench.Outputs.Count > 0
            ? bench.Outputs
            : throw new InvalidOperationException($"{Name}: the case has no outputs, so it checks nothing.");
    }

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>One result of a case.</summary>
/// <param name="Name">Name of the destination.</param>
/// <param name="Values">Logical values.</param>
/// <param name="Match">How to compare them.</param>
/// <param name="MayBeZero">Values that may be exactly 0 instead of the reference's; null for none.</param>
internal sealed record Output(string Name, double[] Values, Match Match, bool[]? MayBeZero);

/// <summary>A backend failed a case; the message names the case, the operand and the first wrong value.</summary>
internal sealed class OperationFailedException : Exception
{
    /// <summary>A failure with its explanation.</summary>
    public OperationFailedException(string message) : base(message) { }

    /// <summary>A failure with its explanation and cause.</summary>
    public OperationFailedException(string message, Exception innerException) : base(message, innerException) { }

    /// <summary>A failure without explanation; for serializers only.</summary>
    public OperationFailedException() { }
}
