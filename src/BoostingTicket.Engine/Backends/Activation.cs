using System.Globalization;

namespace BoostingTicket.Engine.Backends;

/// <summary>Kinds of activation. Kernels and backends share the numbers.</summary>
internal enum ActivationKind
{
    /// <summary>The value as it is.</summary>
    None = 0,

    /// <summary><c>max(x, 0)</c>.</summary>
    Relu = 1,

    /// <summary><c>x</c> where positive, else <c>slope * x</c>.</summary>
    LeakyRelu = 2,

    /// <summary><c>x / (1 + exp(-x))</c>, also called swish (Elfwing et al., 2018).</summary>
    Silu = 3,
}

/// <summary>An activation function. NaN passes every one of them.</summary>
internal readonly record struct Activation
{
    private Activation(ActivationKind kind, float slope)
    {
        Kind = kind;
        Slope = slope;
    }

    /// <summary>None: <c>x</c>.</summary>
    public static Activation None => default;

    /// <summary><c>max(x, 0)</c>.</summary>
    public static Activation Relu => new(ActivationKind.Relu, 0);

    /// <summary><c>x / (1 + exp(-x))</c>.</summary>
    public static Activation Silu => new(ActivationKind.Silu, 0);

    /// <summary>Which one.</summary>
    public ActivationKind Kind { get; }

    /// <summary>Slope of negative values of <see cref="LeakyRelu"/>, else 0.</summary>
    public float Slope { get; }

    /// <summary>Whether the derivative is taken at the function's input. Otherwise the output's sign tells it, so that the input
    /// need not be kept.</summary>
    public bool NeedsInput => Kind == ActivationKind.Silu;

    /// <summary>Word for names of layers: none, relu, leaky_relu, silu.</summary>
    public string Word => Kind switch
    {
        ActivationKind.Relu => "relu",
        ActivationKind.LeakyRelu => "leaky_relu",
        ActivationKind.Silu => "silu",
        _ => "none",
    };

    /// <summary><c>x</c> where positive, else <c>slope * x</c>.</summary>
    /// <param name="slope">In (0, 1).</param>
    /// <exception cref="ArgumentOutOfRangeException">The slope is not between 0 and 1.</exception>
    public static Activation LeakyRelu(float slope) => slope is > 0 and < 1
        ? new Activation(ActivationKind.LeakyRelu, slope)
        : throw new ArgumentOutOfRangeException(nameof(slope), slope, "The slope of a leaky ReLU lies between 0 and 1.");

    /// <inheritdoc/>
    public override string ToString() => Kind == ActivationKind.LeakyRelu
        ? string.Create(CultureInfo.InvariantCulture, $"{Word}({Slope})")
        : Word;
}
