using BoostingTicket.SoftwareCuda.Ptx;

namespace BoostingTicket.SoftwareCuda.Execution;

/// <summary>The modifiers of an instruction, taken one by one by who understands them; what is left is an error.</summary>
internal sealed class Modifiers
{
    private readonly List<string> _left;

    /// <summary>The modifiers of an instruction.</summary>
    public Modifiers(PtxInstruction source)
    {
        Source = source;
        _left = [.. source.Words.Skip(1)];
    }

    /// <summary>The instruction.</summary>
    public PtxInstruction Source { get; }

    /// <summary>Takes a modifier, if it is there.</summary>
    public bool Take(string name) => _left.Remove(name);

    /// <summary>Takes the one that is there of several; null when none is.</summary>
    public string? TakeOneOf(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            if (_left.Remove(name))
                return name;
        }
        return null;
    }

    /// <summary>Takes the first that is a type.</summary>
    public PtxType TakeType()
    {
        foreach (string name in _left)
        {
            if (PtxType.Find(name) is { } type)
            {
                _left.Remove(name);
                return type;
            }
        }
        throw Unsupported("it has no type");
    }

    /// <summary>Takes a rounding mode of floating-point results.</summary>
    public Rounding TakeRounding() => TakeOneOf("rn", "rz", "rm", "rp") switch
    {
        "rz" => Rounding.Zero,
        "rm" => Rounding.Down,
        "rp" => Rounding.Up,
        _ => Rounding.Nearest,
    };

    /// <summary>Checks that all were understood.</summary>
    public void RequireNone()
    {
        if (_left.Count > 0)
            throw Unsupported($"the modifier .{_left[0]} is unknown there");
    }

    /// <summary>An instruction that the software device does not know.</summary>
    public SoftwareCudaException Unsupported(string why) => new(
        $"The software CUDA device does not support '{Source.Text}' (PTX line {Source.Line}): {why}.");
}
