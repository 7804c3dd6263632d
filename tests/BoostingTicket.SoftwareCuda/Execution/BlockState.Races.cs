using System.Buffers.Binary;
using BoostingTicket.SoftwareCuda.Memory;

namespace BoostingTicket.SoftwareCuda.Execution;

/// <summary>How memory is accessed.</summary>
internal enum AccessKind
{
    /// <summary>As by one thread alone.</summary>
    Plain,

    /// <summary>So that others may access it meanwhile (volatile, relaxed, acquire, release).</summary>
    Strong,

    /// <summary>In one go (atom, red).</summary>
    Atomic,

    /// <summary>Through the path for memory that nobody writes while the kernel runs (ld.global.nc).</summary>
    ReadOnly,
}

internal sealed unsafe partial class BlockState
{
    private bool _fenced;
    private bool _atomics;

    /// <summary>Who accessed what since when.</summary>
    public RaceDetector Races { get; } = new();

    /// <summary>The kernel fenced device memory. Once the block has also used atomics it may know that other blocks are done, and
    /// its accesses to what they touched are not reported.</summary>
    public void Fence()
    {
        _fenced = true;
        Races.KnowsOtherBlocks = _atomics;
    }

    private void UseAtomics()
    {
        _atomics = true;
        Races.KnowsOtherBlocks = _fenced;
    }

    private static int Who(int thread, AccessKind kind) =>
        kind is AccessKind.Strong or AccessKind.Atomic ? thread | Access.Atomic : thread;

    // In shared memory.
    private string Describe(Race race)
    {
        string array = "";
        foreach (SharedVariable variable in _kernel.SharedVariables)
        {
            if (race.Offset >= variable.Offset && race.Offset < variable.Offset + variable.Bytes)
                array = $" (byte {race.Offset - variable.Offset} of {variable.Name})";
        }
        return Unordered($"byte {race.Offset} of shared memory{array}", race);
    }

    private string Describe(Allocation block, Race race)
    {
        string place = $"byte {race.Offset} of {block.Name}{Parameter(block, block.Address + (ulong)race.Offset)}";
        if (!Races.IsOfOtherBlock(race.Other))
            return Unordered(place, race);
        (uint x, uint y, uint z) = Races.BlockOf(race.Other);
        return $"blocks race: {place} was {Earlier(race, $"block ({x}, {y}, {z}), ")} in the same launch";
    }

    private string Unordered(string place, Race race) =>
        $"missing barrier: {place} was {Earlier(race)} and nothing orders the two accesses";

    private string Earlier(Race race, string block = "")
    {
        (uint x, uint y, uint z) = SpecialRegisters.ThreadIndex(Grid, race.Other.Thread);
        string at = race.Other.Place < _kernel.Code.Length
            ? $" at '{_kernel.Code[race.Other.Place].Source.Text}' (PTX line {_kernel.Code[race.Other.Place].Source.Line})" : "";
        return $"{(race.Wrote ? "written" : "read")} by {block}thread ({x}, {y}, {z}){at}";
    }

    // The pointer among the kernel's parameters that is nearest below an address, since an allocation may hold many arrays.
    private string Parameter(Allocation block, ulong address)
    {
        int nearest = -1;
        ulong distance = ulong.MaxValue;
        for (int i = 0; i < _kernel.Parameters.Length; i++)
        {
            KernelParameter parameter = _kernel.Parameters[i];
            if (parameter.Bytes != sizeof(ulong))
                continue;
            ulong value = BinaryPrimitives.ReadUInt64LittleEndian(Parameters.AsSpan(parameter.Offset));
            if (value >= block.Address && value <= address && address - value < distance)
                (nearest, distance) = (i, address - value);
        }
        return nearest < 0 ? $" (address 0x{address:x})" : $" (address 0x{address:x}, parameter {nearest} + {distance})";
    }
}
