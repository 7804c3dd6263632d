using BoostingTicket.SoftwareCuda.Memory;

namespace BoostingTicket.SoftwareCuda.Execution;

/// <summary>Widths and signs of what is loaded and stored.</summary>
internal static unsafe class Elements
{
    /// <summary>An element in memory, extended to a register's width.</summary>
    public static ulong Load(byte* place, int bytes, bool signed, ulong mask) => (bytes, signed) switch
    {
        (1, false) => *place,
        (1, true) => (ulong)(sbyte)*place & mask,
        (2, false) => *(ushort*)place,
        (2, true) => (ulong)*(short*)place & mask,
        (4, false) => *(uint*)place,
        (4, true) => (ulong)*(int*)place & mask,
        _ => *(ulong*)place,
    };

    /// <summary>Writes a register's low bytes.</summary>
    public static void Store(byte* place, int bytes, ulong value)
    {
        switch (bytes)
        {
            case 1:
                *place = (byte)value;
                break;
            case 2:
                *(ushort*)place = (ushort)value;
                break;
            case 4:
                *(uint*)place = (uint)value;
                break;
            default:
                *(ulong*)place = value;
                break;
        }
    }
}

/// <summary>Where an instruction accesses memory.</summary>
/// <param name="Space">State space.</param>
/// <param name="Row">Row of the base address.</param>
/// <param name="Offset">Added to it.</param>
/// <param name="ElementBytes">Size of an element.</param>
internal readonly record struct MemoryPlace(AddressSpace Space, int Row, long Offset, int ElementBytes);

/// <summary>Loads one or several elements (ld, ldu).</summary>
/// <param name="place">Where.</param>
/// <param name="destinations">Rows, -1 for none, and the bits of the registers.</param>
/// <param name="signed">Whether elements shorter than a register are extended with their sign.</param>
/// <param name="kind">Whether others may write meanwhile (volatile, relaxed, acquire), or nobody in the launch (nc).</param>
internal sealed unsafe class LoadInstruction(
    MemoryPlace place, (int Row, ulong Mask)[] destinations, bool signed, AccessKind kind) : Instruction
{
    private Allocation? _hint;

    /// <inheritdoc/>
    public override void Execute(BlockState block, int* lanes, int count)
    {
        ulong* addresses = block.Row(place.Row);
        int bytes = place.ElementBytes;
        int total = bytes * destinations.Length;
        ulong** rows = stackalloc ulong*[4];
        for (int i = 0; i < destinations.Length; i++)
            rows[i] = destinations[i].Row < 0 ? null : block.Row(destinations[i].Row);
        for (int i = 0; i < count; i++)
        {
            int lane = lanes[i];
            ulong address = addresses[lane] + (ulong)place.Offset;
            byte* from = block.Read(this, ref _hint, place.Space, address, total, lane, kind);
            for (int j = 0; j < destinations.Length; j++)
            {
                if (rows[j] is not null)
                    rows[j][lane] = Elements.Load(from + (j * bytes), bytes, signed, destinations[j].Mask);
            }
        }
    }
}

/// <summary>Stores one or several elements (st).</summary>
/// <param name="place">Where.</param>
/// <param name="values">Rows.</param>
/// <param name="kind">Whether others may access the place meanwhile (volatile, relaxed, release).</param>
internal sealed unsafe class StoreInstruction(MemoryPlace place, int[] values, AccessKind kind) : Instruction
{
    private Allocation? _hint;

    /// <inheritdoc/>
    public override void Execute(BlockState block, int* lanes, int count)
    {
        ulong* addresses = block.Row(place.Row);
        int bytes = place.ElementBytes;
        ulong** rows = stackalloc ulong*[4];
        for (int i = 0; i < values.Length; i++)
            rows[i] = block.Row(values[i]);
        ulong* buffer = stackalloc ulong[4];
        int total = bytes * values.Length;
        for (int i = 0; i < count; i++)
        {
            int lane = lanes[i];
            for (int j = 0; j < values.Length; j++)
                Elements.Store((byte*)buffer + (j * bytes), bytes, rows[j][lane]);
            ulong address = addresses[lane] + (ulong)place.Offset;
            byte* to = block.Write(this, ref _hint, place.Space, address, total, lane, kind);
            Buffer.MemoryCopy(buffer, to, total, total);
        }
    }
}

/// <summary>Loads a parameter of the kernel.</summary>
internal sealed unsafe class LoadParameterInstruction(
    int offset, int elementBytes, (int Row, ulong Mask)[] destinations, bool signed) : Instruction
{
    /// <inheritdoc/>
    public override void Execute(BlockState block, int* lanes, int count)
    {
        fixed (byte* parameters = block.Parameters)
        {
            for (int j = 0; j < destinations.Length; j++)
            {
                if (destinations[j].Row < 0)
                    continue;
                ulong value = Elements.Load(parameters + offset + (j * elementBytes), elementBytes, signed, destinations[j].Mask);
                ulong* to = block.Row(destinations[j].Row);
                for (int i = 0; i < count; i++)
                    to[lanes[i]] = value;
            }
        }
    }
}

/// <summary>Changes memory in one go, thread by thread in ascending order (atom, red).</summary>
/// <param name="place">Where.</param>
/// <param name="destination">Row of the old value; -1 for none.</param>
/// <param name="combine">The new value of the old one and the operands.</param>
/// <param name="b">Row of an operand.</param>
/// <param name="c">Row of another; that of <paramref name="b"/> when there is none.</param>
/// <param name="fences">Whether it also orders other accesses.</param>
internal sealed unsafe class AtomicInstruction(MemoryPlace place, int destination, Map3 combine, int b, int c, bool fences)
    : Instruction
{
    private Allocation? _hint;

    /// <inheritdoc/>
    public override void Execute(BlockState block, int* lanes, int count)
    {
        ulong* addresses = block.Row(place.Row), second = block.Row(b), third = block.Row(c);
        ulong* to = destination < 0 ? null : block.Row(destination);
        int bytes = place.ElementBytes;
        if (fences)
            block.Fence();
        for (int i = 0; i < count; i++)
        {
            int lane = lanes[i];
            ulong address = addresses[lane] + (ulong)place.Offset;
            byte* at = block.Read(this, ref _hint, place.Space, address, bytes, lane, AccessKind.Atomic);
            ulong old = Elements.Load(at, bytes, false, ulong.MaxValue);
            block.Write(this, ref _hint, place.Space, address, bytes, lane, AccessKind.Atomic);
            Elements.Store(at, bytes, combine(old, second[lane], third[lane]));
            if (to is not null)
                to[lane] = old;
        }
    }
}

/// <summary>Makes a thread's accesses to memory visible (membar, fence).</summary>
internal sealed unsafe class FenceInstruction(bool device) : Instruction
{
    /// <inheritdoc/>
    public override void Execute(BlockState block, int* lanes, int count)
    {
        if (device)
            block.Fence();
    }
}

/// <summary>Turns generic addresses into those of a window (cvta.to), or asks whether they lie there (isspacep).</summary>
internal sealed unsafe class WindowInstruction(AddressSpace space, bool asks, int destination, int source) : Instruction
{
    /// <inheritdoc/>
    public override void Execute(BlockState block, int* lanes, int count)
    {
        ulong* from = block.Row(source), to = block.Row(destination);
        for (int i = 0; i < count; i++)
        {
            int lane = lanes[i];
            ulong start = space == AddressSpace.Shared ? BlockState.SharedWindow : BlockState.LocalWindow;
            bool inShared = from[lane] - BlockState.SharedWindow < uint.MaxValue;
            bool inLocal = from[lane] - BlockState.LocalWindow < uint.MaxValue;
            bool inside = space switch
            {
                AddressSpace.Shared => inShared,
                AddressSpace.Local => inLocal,
                _ => !inShared && !inLocal,
            };
            if (asks)
                to[lane] = inside ? 1UL : 0;
            else if (!inside)
                throw block.Fault(this, lane, $"0x{from[lane]:x} is not an address of that space");
            else
                to[lane] = space is AddressSpace.Shared or AddressSpace.Local ? from[lane] - start : from[lane];
        }
    }
}

/// <summary>Splits a value into several registers, or joins several (mov with braces).</summary>
internal sealed unsafe class PackInstruction(int[] parts, int partBits, int whole, bool splits) : Instruction
{
    /// <inheritdoc/>
    public override void Execute(BlockState block, int* lanes, int count)
    {
        ulong* value = block.Row(whole);
        ulong mask = (1UL << partBits) - 1;
        for (int i = 0; i < count; i++)
        {
            int lane = lanes[i];
            if (splits)
            {
                ulong rest = value[lane];
                for (int j = 0; j < parts.Length; j++, rest >>= partBits)
                {
                    if (parts[j] >= 0)
                        block.Row(parts[j])[lane] = rest & mask;
                }
                continue;
            }
            ulong joined = 0;
            for (int j = 0; j < parts.Length; j++)
                joined |= (block.Row(parts[j])[lane] & mask) << (j * partBits);
            value[lane] = joined;
        }
    }
}

/// <summary>Adds or multiplies with a carry that the thread keeps (add.cc, addc, madc, ...).</summary>
/// <param name="operation">Of the three operands and the carry: the result and the new carry.</param>
/// <param name="destination">Row of the result.</param>
/// <param name="a">Row of the first operand.</param>
/// <param name="b">Row of the second.</param>
/// <param name="c">Row of the third.</param>
/// <param name="carry">Row of the carry.</param>
/// <param name="reads">Whether the old carry counts.</param>
/// <param name="writes">Whether the new carry is kept.</param>
internal sealed unsafe class CarryInstruction(
    Func<ulong, ulong, ulong, ulong, (ulong Result, ulong Carry)> operation, int destination, int a, int b, int c, int carry,
    bool reads, bool writes) : Instruction
{
    /// <inheritdoc/>
    public override void Execute(BlockState block, int* lanes, int count)
    {
        ulong* to = block.Row(destination), first = block.Row(a), second = block.Row(b), third = block.Row(c);
        ulong* kept = block.Row(carry);
        for (int i = 0; i < count; i++)
        {
            int lane = lanes[i];
            (ulong result, ulong next) = operation(first[lane], second[lane], third[lane], reads ? kept[lane] : 0);
            to[lane] = result;
            if (writes)
                kept[lane] = next;
        }
    }
}
