using BoostingTicket.SoftwareCuda.Ptx;

namespace BoostingTicket.SoftwareCuda.Execution;

/// <summary>A register that the device fills.</summary>
/// <param name="Row">Where.</param>
/// <param name="Name">As in PTX.</param>
internal readonly record struct SpecialRegister(int Row, string Name);

/// <summary>A number that instructions name.</summary>
internal readonly record struct ConstantRow(int Row, ulong Value);

/// <summary>A kernel's parameter.</summary>
/// <param name="Name">As in PTX.</param>
/// <param name="Offset">Within the parameters.</param>
/// <param name="Bytes">Size.</param>
internal readonly record struct KernelParameter(string Name, int Offset, int Bytes);

/// <summary>An array in a block's shared memory.</summary>
/// <param name="Name">As in PTX.</param>
/// <param name="Offset">Within the block's shared memory.</param>
/// <param name="Bytes">Size.</param>
internal readonly record struct SharedVariable(string Name, int Offset, int Bytes);

/// <summary>A decoded kernel.</summary>
internal sealed class Kernel
{
    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>Instructions of the kernel and, behind them, of the functions it calls.</summary>
    public required Instruction[] Code { get; init; }

    /// <summary>Registers, numbers and special registers.</summary>
    public required int Rows { get; init; }

    /// <summary>Registers; their rows come first.</summary>
    public required int RegisterRows { get; init; }

    /// <summary>Numbers that instructions name.</summary>
    public required ConstantRow[] Constants { get; init; }

    /// <summary>Registers that the device fills.</summary>
    public required SpecialRegister[] Specials { get; init; }

    /// <summary>Parameters in order.</summary>
    public required KernelParameter[] Parameters { get; init; }

    /// <summary>Bytes of all parameters.</summary>
    public int ParameterBytes => Parameters.Length == 0 ? 0 : Parameters[^1].Offset + Parameters[^1].Bytes;

    /// <summary>Bytes of shared memory.</summary>
    public required int SharedBytes { get; init; }

    /// <summary>Arrays in shared memory.</summary>
    public required SharedVariable[] SharedVariables { get; init; }

    /// <summary>Bytes of each thread's own memory.</summary>
    public required int LocalBytes { get; init; }

    /// <summary>The source, for launch bounds.</summary>
    public required PtxFunction Source { get; init; }
}
