using System.Runtime.InteropServices;
using BoostingTicket.SoftwareCuda.Memory;

namespace BoostingTicket.SoftwareCuda.Execution;

/// <summary>Spaces that an address may point into.</summary>
internal enum AddressSpace
{
    /// <summary>Any, told by the address.</summary>
    Generic,

    /// <summary>Device memory.</summary>
    Global,

    /// <summary>Constant memory.</summary>
    Constant,

    /// <summary>The block's memory.</summary>
    Shared,

    /// <summary>The thread's memory.</summary>
    Local,

    /// <summary>The kernel's parameters.</summary>
    Parameter,
}

/// <summary>Registers and memory of the block that runs, and the checks of every access.</summary>
internal sealed unsafe partial class BlockState : IDisposable
{
    /// <summary>Generic address of the first byte of shared memory.</summary>
    public const ulong SharedWindow = 0x7ff0_0000_0000;

    /// <summary>Generic address of the first byte of a thread's own memory.</summary>
    public const ulong LocalWindow = 0x7ff1_0000_0000;

    private const ulong WindowBytes = 1UL << 32;

    private readonly DeviceMemory _memory;
    private readonly SharedMemory _shared = new();
    private ulong* _rows;
    private nuint _rowCapacity;
    private byte* _local;
    private byte* _localWritten;
    private nuint _localCapacity;
    private int _localStride;
    private Kernel _kernel = null!;

    /// <summary>Registers for blocks of kernels that use a memory.</summary>
    public BlockState(DeviceMemory memory) => _memory = memory;

    /// <summary>Threads of the block.</summary>
    public int Threads { get; private set; }

    /// <summary>Warps of the block.</summary>
    public int Warps => (Threads + 31) / 32;

    /// <summary>Shape of the launch.</summary>
    public Engine.Cuda.Bindings.LaunchGrid Grid { get; private set; }

    /// <summary>Place of the block in the grid.</summary>
    public (uint X, uint Y, uint Z) Index { get; private set; }

    /// <summary>The kernel's parameters.</summary>
    public byte[] Parameters { get; private set; } = [];

    /// <summary>Bytes of the block's shared memory.</summary>
    public int SharedBytes => _shared.Bytes;

    /// <summary>The values of a register for all threads.</summary>
    public ulong* Row(int row) => _rows + ((nint)row * Threads);

    /// <summary>Prepares a launch: numbers and the special registers that are the same for all blocks.</summary>
    public void BeginLaunch(Kernel kernel, in Engine.Cuda.Bindings.LaunchGrid grid, byte[] parameters)
    {
        _kernel = kernel;
        Grid = grid;
        Threads = (int)(grid.BlockX * grid.BlockY * grid.BlockZ);
        Parameters = parameters;
        Races.BeginLaunch();
        nuint rows = (nuint)kernel.Rows * (nuint)Threads;
        if (rows > _rowCapacity)
        {
            _rows = (ulong*)NativeMemory.Realloc(_rows, rows * sizeof(ulong));
            _rowCapacity = rows;
        }
        foreach (ConstantRow constant in kernel.Constants)
            new Span<ulong>(Row(constant.Row), Threads).Fill(constant.Value);
        foreach (SpecialRegister special in kernel.Specials)
            SpecialRegisters.Fill(this, special);
        _localStride = (kernel.LocalBytes + 15) / 16 * 16;
        nuint local = (nuint)_localStride * (nuint)Threads;
        if (local > _localCapacity)
        {
            _local = (byte*)NativeMemory.Realloc(_local, local);
            _localWritten = (byte*)NativeMemory.Realloc(_localWritten, local);
            _localCapacity = local;
        }
    }

    /// <summary>Prepares a block: registers hold garbage, nothing of shared or own memory is written.</summary>
    public void BeginBlock(uint x, uint y, uint z)
    {
        Index = (x, y, z);
        Races.BeginBlock(x, y, z);
        _fenced = false;
        _atomics = false;
        new Span<ulong>(_rows, _kernel.RegisterRows * Threads).Fill(0xCDCD_CDCD_CDCD_CDCD);
        new Span<byte>(_localWritten, _localStride * Threads).Clear();
        _shared.Begin(_kernel.SharedBytes);
        foreach (SpecialRegister special in _kernel.Specials)
        {
            if (SpecialRegisters.DependsOnBlock(special.Name))
                SpecialRegisters.Fill(this, special);
        }
    }

    /// <summary>A defect of the kernel, with all that tells where.</summary>
    public SoftwareCudaException Fault(Instruction instruction, int thread, string defect)
    {
        (uint x, uint y, uint z) = SpecialRegisters.ThreadIndex(Grid, thread);
        return new SoftwareCudaException(
            $"Kernel {_kernel.Name}: {defect}; at '{instruction.Source.Text}' (PTX line {instruction.Source.Line}), "
            + $"block ({Index.X}, {Index.Y}, {Index.Z}) of ({Grid.GridX}, {Grid.GridY}, {Grid.GridZ}), thread ({x}, {y}, {z}) of "
            + $"({Grid.BlockX}, {Grid.BlockY}, {Grid.BlockZ}).");
    }

    /// <summary>The host's address of bytes that a thread reads.</summary>
    /// <param name="instruction">For reports.</param>
    /// <param name="hint">Block of memory that the instruction used last.</param>
    /// <param name="space">Of the address.</param>
    /// <param name="address">Where.</param>
    /// <param name="bytes">How many.</param>
    /// <param name="thread">Who.</param>
    /// <param name="kind">How.</param>
    public byte* Read(
        Instruction instruction, ref Allocation? hint, AddressSpace space, ulong address, int bytes, int thread,
        AccessKind kind = AccessKind.Plain)
    {
        if ((address & ((ulong)bytes - 1)) != 0)
            throw Misaligned(instruction, address, bytes, thread, "read");
        switch (Resolve(ref space, ref address))
        {
            case AddressSpace.Shared:
                byte* shared = _shared.Read((uint)Math.Min(address, uint.MaxValue), bytes, out string? defect);
                if (defect is not null)
                    throw Fault(instruction, thread, defect);
                if (Races.Read(_shared.Accesses, true, (long)address, bytes, Who(thread, kind), instruction.Place) is { } race)
                    throw Fault(instruction, thread, Describe(race));
                return shared;
            case AddressSpace.Local:
                byte* local = Local(instruction, address, bytes, thread);
                for (int i = 0; i < bytes; i++)
                {
                    if (_localWritten[local - _local + i] == 0)
                    {
                        throw Fault(
                            instruction, thread,
                            $"read of the thread's own memory that it did not write: byte {address + (ulong)i}");
                    }
                }
                return local;
            case AddressSpace.Parameter:
                throw Fault(instruction, thread, "reads through pointers to parameters are not supported");
            default:
                return ReadGlobal(instruction, ref hint, space, address, bytes, thread, kind);
        }
    }

    /// <summary>The host's address of bytes that a thread writes.</summary>
    /// <param name="instruction">For reports.</param>
    /// <param name="hint">Block of memory that the instruction used last.</param>
    /// <param name="space">Of the address.</param>
    /// <param name="address">Where.</param>
    /// <param name="bytes">How many.</param>
    /// <param name="thread">Who.</param>
    /// <param name="kind">How.</param>
    public byte* Write(
        Instruction instruction, ref Allocation? hint, AddressSpace space, ulong address, int bytes, int thread,
        AccessKind kind = AccessKind.Plain)
    {
        if ((address & ((ulong)bytes - 1)) != 0)
            throw Misaligned(instruction, address, bytes, thread, "write");
        switch (Resolve(ref space, ref address))
        {
            case AddressSpace.Shared:
                byte* shared = _shared.Write((uint)Math.Min(address, uint.MaxValue), bytes, out string? defect);
                if (defect is not null)
                    throw Fault(instruction, thread, defect);
                if (Races.Write(_shared.Accesses, true, (long)address, bytes, Who(thread, kind), instruction.Place) is { } race)
                    throw Fault(instruction, thread, Describe(race));
                return shared;
            case AddressSpace.Local:
                byte* local = Local(instruction, address, bytes, thread);
                new Span<byte>(_localWritten + (local - _local), bytes).Fill(1);
                return local;
            case AddressSpace.Parameter:
                throw Fault(instruction, thread, "parameters of a kernel cannot be written");
            default:
                return WriteGlobal(instruction, ref hint, space, address, bytes, thread, kind);
        }
    }

    /// <summary>Copies within a thread's own memory.</summary>
    public void CopyLocal(LocalCopy copy, int thread)
    {
        int start = thread * _localStride;
        Buffer.MemoryCopy(_local + start + copy.From, _local + start + copy.To, copy.Bytes, copy.Bytes);
        Buffer.MemoryCopy(_localWritten + start + copy.From, _localWritten + start + copy.To, copy.Bytes, copy.Bytes);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.Free(_rows);
        NativeMemory.Free(_local);
        NativeMemory.Free(_localWritten);
        _shared.Dispose();
    }

    private static AddressSpace Resolve(ref AddressSpace space, ref ulong address)
    {
        if (space == AddressSpace.Generic)
        {
            if (address - SharedWindow < WindowBytes)
            {
                address -= SharedWindow;
                space = AddressSpace.Shared;
            }
            else if (address - LocalWindow < WindowBytes)
            {
                address -= LocalWindow;
                space = AddressSpace.Local;
            }
        }
        return space;
    }

    private byte* ReadGlobal(
        Instruction instruction, ref Allocation? hint, AddressSpace space, ulong address, int bytes, int thread, AccessKind kind)
    {
        Allocation block = Block(instruction, ref hint, address, bytes, thread, "read");
        if (space == AddressSpace.Constant && block.Kind != AllocationKind.Constant)
            throw Fault(instruction, thread, $"0x{address:x} is not an address of constant memory");
        ulong offset = address - block.Address;
        byte* written = block.Written + offset;
        bool all = bytes switch
        {
            4 => *(uint*)written == 0x0101_0101,
            8 => *(ulong*)written == 0x0101_0101_0101_0101,
            16 => (*(ulong*)written & ((ulong*)written)[1]) == 0x0101_0101_0101_0101,
            2 => *(ushort*)written == 0x0101,
            _ => *written == 1,
        };
        if (!all)
        {
            throw Fault(
                instruction, thread,
                $"read of memory that nobody wrote: byte {DeviceMemory.FirstUnwritten(block, address, bytes)} of {block.Name}");
        }
        if (block.Kind != AllocationKind.Constant)
        {
            if (Races.Read(block.Accesses, false, (long)offset, bytes, Who(thread, kind), instruction.Place) is { } race)
                throw Fault(instruction, thread, Describe(block, race));
            if (kind == AccessKind.ReadOnly && Races.WasWrittenInLaunch(block.Accesses, (long)offset, bytes))
            {
                throw Fault(
                    instruction, thread, "read through the read-only path of memory that the same launch wrote: byte "
                    + $"{offset} of {block.Name}");
            }
        }
        return block.Data + offset;
    }

    private byte* WriteGlobal(
        Instruction instruction, ref Allocation? hint, AddressSpace space, ulong address, int bytes, int thread, AccessKind kind)
    {
        Allocation block = Block(instruction, ref hint, address, bytes, thread, "write");
        if (space == AddressSpace.Constant || block.Kind == AllocationKind.Constant)
            throw Fault(instruction, thread, $"write to constant memory: {block.Name}");
        ulong offset = address - block.Address;
        if (Races.Write(block.Accesses, false, (long)offset, bytes, Who(thread, kind), instruction.Place) is { } race)
            throw Fault(instruction, thread, Describe(block, race));
        if (kind == AccessKind.Atomic)
            UseAtomics();
        byte* written = block.Written + offset;
        for (int i = 0; i < bytes; i++)
            written[i] = 1;
        return block.Data + offset;
    }

    private Allocation Block(
        Instruction instruction, ref Allocation? hint, ulong address, int bytes, int thread, string access)
    {
        if (hint is { } last)
        {
            ulong offset = address - last.Address;
            if (offset <= (ulong)last.Bytes && (ulong)last.Bytes - offset >= (ulong)bytes && !last.IsFreed)
                return last;
        }
        Allocation? block = _memory.Find(address, bytes);
        if (block is null)
            throw Fault(instruction, thread, $"{access} of {bytes} bytes {_memory.Explain(address, bytes)}");
        hint = block;
        return block;
    }

    private byte* Local(Instruction instruction, ulong address, int bytes, int thread)
    {
        if (address > (ulong)_kernel.LocalBytes || address + (ulong)bytes > (ulong)_kernel.LocalBytes)
        {
            throw Fault(
                instruction, thread,
                $"out of bounds: bytes {address} to {address + (ulong)bytes - 1} of the thread's own memory, "
                + $"of which the kernel declares {_kernel.LocalBytes}");
        }
        return _local + (thread * (nint)_localStride) + (nint)address;
    }

    private SoftwareCudaException Misaligned(Instruction instruction, ulong address, int bytes, int thread, string access) =>
        Fault(instruction, thread, $"misaligned {access}: address 0x{address:x} is no multiple of {bytes}");
}
