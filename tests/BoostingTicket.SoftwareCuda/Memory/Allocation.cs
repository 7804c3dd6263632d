using System.Runtime.InteropServices;

namespace BoostingTicket.SoftwareCuda.Memory;

/// <summary>What a block of device memory is for.</summary>
internal enum AllocationKind
{
    /// <summary>Memory that the program asked for.</summary>
    Program,

    /// <summary>A module's .global variable.</summary>
    Variable,

    /// <summary>A module's .const variable: kernels must not write it.</summary>
    Constant,
}

/// <summary>A block of device memory with a note for each byte whether anybody wrote it, and who read and wrote it.</summary>
internal sealed unsafe class Allocation
{
    // Slack so that a check of whole words at the end stays within the host's memory.
    private const int Slack = 16;

    /// <summary>Takes host memory for a block. Of large blocks the host gives only what is touched.</summary>
    public Allocation(ulong address, long bytes, AllocationKind kind, string name)
    {
        Address = address;
        Bytes = bytes;
        Kind = kind;
        Name = name;
        Data = (byte*)NativeMemory.AlignedAlloc((nuint)(bytes + Slack), 64);
        Written = (byte*)NativeMemory.AllocZeroed((nuint)(bytes + Slack));
        Accesses = new AccessLog(bytes + Slack);
    }

    /// <summary>Device address of the first byte.</summary>
    public ulong Address { get; }

    /// <summary>Size.</summary>
    public long Bytes { get; }

    /// <summary>What it is for.</summary>
    public AllocationKind Kind { get; }

    /// <summary>For reports.</summary>
    public string Name { get; }

    /// <summary>The bytes in the host's memory; null when freed.</summary>
    public byte* Data { get; private set; }

    /// <summary>1 for each byte that was written.</summary>
    public byte* Written { get; private set; }

    /// <summary>Who accessed it.</summary>
    public AccessLog Accesses { get; }

    /// <summary>Whether it was freed.</summary>
    public bool IsFreed => Data is null;

    /// <summary>Gives the host's memory back; the range of addresses stays known.</summary>
    public void Free()
    {
        NativeMemory.AlignedFree(Data);
        NativeMemory.Free(Written);
        Accesses.Free();
        Data = null;
        Written = null;
    }
}
