using System.Runtime.InteropServices;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.SoftwareCuda.Memory;

namespace BoostingTicket.SoftwareCuda;

internal sealed unsafe partial class SoftwareCudaDevice
{
    private readonly Dictionary<nint, nuint> _hostBlocks = [];

    /// <inheritdoc/>
    public DevicePointer Allocate(nuint bytes, nint stream)
    {
        const string Call = "cuMemAllocAsync";
        lock (_lock)
        {
            Require(Call);
            RefuseInCapture(Call);
            Known(_streams, stream, Call, "stream");
            if (bytes == 0)
                throw new CudaException(CudaLibrary.Driver, 1, $"{Call}(0 bytes): CUDA_ERROR_INVALID_VALUE (1).");
            Allocation block = _memory.Allocate((long)bytes, AllocationKind.Program)
                ?? throw new CudaException(
                    CudaLibrary.Driver, 2,
                    $"{Call}({bytes} bytes): CUDA_ERROR_OUT_OF_MEMORY (2), {_memory.Capacity - _memory.Used} of "
                    + $"{_memory.Capacity} bytes are free.");
            return new DevicePointer(block.Address);
        }
    }

    /// <inheritdoc/>
    public void Free(DevicePointer pointer, nint stream)
    {
        lock (_lock)
        {
            Require("cuMemFreeAsync");
            RefuseInCapture("cuMemFreeAsync");
            Known(_streams, stream, "cuMemFreeAsync", "stream");
            _memory.Free(pointer.Address, "cuMemFreeAsync");
        }
    }

    /// <inheritdoc/>
    public (ulong Free, ulong Total) MemoryInfo()
    {
        Require("cuMemGetInfo");
        return (_memory.Capacity - _memory.Used, _memory.Capacity);
    }

    /// <summary>The most bytes that the program ever held.</summary>
    public ulong PeakMemory => _memory.Peak;

    /// <inheritdoc/>
    public void* AllocateHost(nuint bytes)
    {
        lock (_lock)
        {
            Require("cuMemHostAlloc");
            RefuseInCapture("cuMemHostAlloc");
            void* pointer = NativeMemory.AlignedAlloc(Math.Max(bytes, 1), 64);
            NativeMemory.Fill(pointer, bytes, 0xCD);
            _hostBlocks[(nint)pointer] = bytes;
            return pointer;
        }
    }

    /// <inheritdoc/>
    public void FreeHost(void* pointer)
    {
        lock (_lock)
        {
            Require("cuMemFreeHost");
            RefuseInCapture("cuMemFreeHost");
            if (!_hostBlocks.TryGetValue((nint)pointer, out nuint bytes))
                throw new SoftwareCudaException($"cuMemFreeHost: 0x{(nint)pointer:x} is no page-locked memory (or no longer).");
            foreach (StreamState stream in _streams.Values)
                stream.RequireUnused((nint)pointer, bytes);
            _hostBlocks.Remove((nint)pointer);
            NativeMemory.AlignedFree(pointer);
        }
    }

    /// <inheritdoc/>
    public void CopyToDevice(DevicePointer destination, void* source, nuint bytes, nint stream)
    {
        const string Call = "cuMemcpyHtoDAsync";
        lock (_lock)
        {
            StreamState state = Enter(stream, Call);
            RequirePinnedInCapture(state, source, bytes, Call);
            nint from = (nint)source;
            Submit(state, () =>
            {
                new ReadOnlySpan<byte>((void*)from, checked((int)bytes)).CopyTo(Write(destination, (long)bytes, Call));
                if (IsPinned(from, bytes))
                    state.Watch(from, bytes);
            });
        }
    }

    /// <inheritdoc/>
    public void CopyToHost(void* destination, DevicePointer source, nuint bytes, nint stream)
    {
        const string Call = "cuMemcpyDtoHAsync";
        lock (_lock)
        {
            StreamState state = Enter(stream, Call);
            RequirePinnedInCapture(state, destination, bytes, Call);
            nint to = (nint)destination;
            Submit(state, () =>
            {
                ReadOnlySpan<byte> values = Read(source, (long)bytes, Call);
                if (IsPinned(to, bytes))
                    state.Deliver(to, values);
                else
                    values.CopyTo(new Span<byte>((void*)to, values.Length));
            });
        }
    }

    /// <inheritdoc/>
    public void CopyOnDevice(DevicePointer destination, DevicePointer source, nuint bytes, nint stream)
    {
        const string Call = "cuMemcpyDtoDAsync";
        lock (_lock)
        {
            StreamState state = Enter(stream, Call);
            Submit(state, () =>
            {
                if (destination.Address < source.Address + bytes && source.Address < destination.Address + bytes && bytes > 0)
                    throw new SoftwareCudaException($"{Call}: the places {destination} and {source} of {bytes} bytes overlap.");
                ReadOnlySpan<byte> values = Read(source, (long)bytes, Call);
                values.CopyTo(Write(destination, (long)bytes, Call));
            });
        }
    }

    /// <inheritdoc/>
    public void Fill(DevicePointer destination, uint value, nuint words, nint stream)
    {
        const string Call = "cuMemsetD32Async";
        lock (_lock)
        {
            StreamState state = Enter(stream, Call);
            Submit(state, () =>
            {
                if (destination.Address % 4 != 0)
                    throw new SoftwareCudaException($"{Call}: the address {destination} is no multiple of 4.");
                MemoryMarshal.Cast<byte, uint>(Write(destination, checked((long)words * 4), Call)).Fill(value);
            });
        }
    }

    /// <inheritdoc/>
    public ReadOnlySpan<byte> Read(DevicePointer pointer, long bytes, string reader)
    {
        Allocation? block = Resolve(pointer, bytes, reader);
        if (block is null)
            return [];
        long unwritten = DeviceMemory.FirstUnwritten(block, pointer.Address, bytes);
        if (unwritten >= 0)
            throw new SoftwareCudaException($"{reader}: read of memory that nobody wrote: byte {unwritten} of {block.Name}.");
        return new ReadOnlySpan<byte>(block.Data + (pointer.Address - block.Address), checked((int)bytes));
    }

    /// <inheritdoc/>
    public Span<byte> Write(DevicePointer pointer, long bytes, string writer)
    {
        Allocation? block = Resolve(pointer, bytes, writer);
        if (block is null)
            return [];
        DeviceMemory.Mark(block, pointer.Address, bytes, written: true);
        return new Span<byte>(block.Data + (pointer.Address - block.Address), checked((int)bytes));
    }

    /// <summary>From now on bytes count as never written: reads of them are reported until they are written again.</summary>
    public void Forget(DevicePointer pointer, long bytes)
    {
        lock (_lock)
        {
            if (Resolve(pointer, bytes, nameof(Forget)) is { } block)
                DeviceMemory.Mark(block, pointer.Address, bytes, written: false);
        }
    }

    // Null for no bytes.
    private Allocation? Resolve(DevicePointer pointer, long bytes, string caller)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        if (bytes == 0)
            return null;
        return _memory.Find(pointer.Address, bytes)
            ?? throw new SoftwareCudaException(
                $"{caller}: {bytes} bytes at {pointer}: {_memory.Explain(pointer.Address, bytes)}.");
    }

    private bool IsPinned(nint pointer, nuint bytes) => _hostBlocks.Any(
        block => pointer >= block.Key && (nuint)(pointer - block.Key) + bytes <= block.Value);

    // Replays of a graph access the host's memory again, whenever they run.
    private void RequirePinnedInCapture(StreamState state, void* pointer, nuint bytes, string call)
    {
        if (state.Capture is not null && !IsPinned((nint)pointer, bytes))
            throw new SoftwareCudaException($"{call}: a captured copy needs page-locked memory of the host (AllocateHost).");
    }

    private void FreeHostBlocks()
    {
        foreach (nint pointer in _hostBlocks.Keys)
            NativeMemory.AlignedFree((void*)pointer);
        _hostBlocks.Clear();
    }
}
