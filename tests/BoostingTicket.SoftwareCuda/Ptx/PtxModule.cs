namespace BoostingTicket.SoftwareCuda.Ptx;

/// <summary>State spaces of PTX variables.</summary>
internal enum PtxSpace
{
    /// <summary>Device memory.</summary>
    Global,

    /// <summary>Device memory that kernels only read.</summary>
    Constant,

    /// <summary>Memory of a block.</summary>
    Shared,

    /// <summary>Memory of a thread.</summary>
    Local,

    /// <summary>Parameters of a kernel, or of a call.</summary>
    Parameter,
}

/// <summary>A translation unit.</summary>
/// <param name="Version">Such as 7.8.</param>
/// <param name="Target">Such as sm_70.</param>
/// <param name="Variables">Global and constant variables; shared ones declared outside functions.</param>
/// <param name="Functions">Kernels and functions with a body.</param>
internal sealed record PtxModule(
    string Version, string Target, IReadOnlyList<PtxVariable> Variables, IReadOnlyList<PtxFunction> Functions);

/// <summary>A variable in memory.</summary>
/// <param name="Name">Unique within its module or function.</param>
/// <param name="Space">Where.</param>
/// <param name="Type">Of an element.</param>
/// <param name="Alignment">Bytes.</param>
/// <param name="Bytes">Size; 0 for an external array, whose size a launch gives.</param>
/// <param name="Initial">First bytes; the others are zero. Null when nobody initialises it.</param>
/// <param name="References">Addresses that stand in the initial bytes.</param>
internal sealed record PtxVariable(
    string Name, PtxSpace Space, PtxType Type, int Alignment, int Bytes, byte[]? Initial,
    IReadOnlyList<PtxReference> References);

/// <summary>An address of a variable within another's initial bytes.</summary>
internal sealed record PtxReference(int Offset, string Name, bool IsGeneric, long Addend);

/// <summary>A kernel or function.</summary>
internal sealed class PtxFunction
{
    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>Whether it can be launched.</summary>
    public required bool IsKernel { get; init; }

    /// <summary>Parameters in order.</summary>
    public required IReadOnlyList<PtxVariable> Parameters { get; init; }

    /// <summary>What a function gives back.</summary>
    public required IReadOnlyList<PtxVariable> Results { get; init; }

    /// <summary>Types of the registers that its instructions name, by number.</summary>
    public List<PtxType> Registers { get; } = [];

    /// <summary>Shared, local and call parameter variables.</summary>
    public List<PtxVariable> Variables { get; } = [];

    /// <summary>The instructions.</summary>
    public List<PtxInstruction> Instructions { get; } = [];

    /// <summary>Labels and the numbers of the instructions behind them.</summary>
    public Dictionary<string, int> Labels { get; } = new(StringComparer.Ordinal);

    /// <summary>Lists of labels for indexed branches.</summary>
    public Dictionary<string, IReadOnlyList<string>> BranchTargets { get; } = new(StringComparer.Ordinal);

    /// <summary>Threads of a block at most (.maxntid), 0 when not said.</summary>
    public int MaxThreads { get; set; }

    /// <summary>Exact shape of a block (.reqntid), null when not said.</summary>
    public IReadOnlyList<int>? RequiredThreads { get; set; }
}

/// <summary>An instruction.</summary>
/// <param name="Line">Of the PTX text, from 1.</param>
/// <param name="Text">As written, without guard and semicolon.</param>
/// <param name="Words">Name and modifiers, without dots.</param>
/// <param name="Operands">In order.</param>
/// <param name="Guard">Predicate register that must be true (false when negated); null for none.</param>
/// <param name="GuardNegated">Whether the guard must be false.</param>
internal sealed record PtxInstruction(
    int Line, string Text, IReadOnlyList<string> Words, IReadOnlyList<PtxOperand> Operands, int? Guard, bool GuardNegated);

/// <summary>An operand.</summary>
internal abstract record PtxOperand;

/// <summary>A register of the function.</summary>
internal sealed record RegisterOperand(int Register, bool Negated) : PtxOperand;

/// <summary>A special register, a variable, a function or a label.</summary>
internal sealed record NameOperand(string Name, long Offset) : PtxOperand;

/// <summary>A number.</summary>
internal sealed record NumberOperand(TokenKind Kind, ulong Bits) : PtxOperand;

/// <summary>A place in memory: a register, a variable or a number, and an offset.</summary>
internal sealed record AddressOperand(PtxOperand Base, long Offset) : PtxOperand;

/// <summary>Several operands in braces.</summary>
internal sealed record VectorOperand(IReadOnlyList<PtxOperand> Elements) : PtxOperand;

/// <summary>Two destinations with a bar between them.</summary>
internal sealed record PairOperand(PtxOperand First, PtxOperand Second) : PtxOperand;

/// <summary>A destination that nobody needs.</summary>
internal sealed record SinkOperand : PtxOperand;

/// <summary>Operands in parentheses.</summary>
internal sealed record ListOperand(IReadOnlyList<PtxOperand> Elements) : PtxOperand;
