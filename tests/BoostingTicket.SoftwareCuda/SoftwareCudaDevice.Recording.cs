using System.Runtime.InteropServices;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.SoftwareCuda.Execution;
using BoostingTicket.SoftwareCuda.Memory;

namespace BoostingTicket.SoftwareCuda;

internal sealed unsafe partial class SoftwareCudaDevice
{
    private const string KernelsWithLists = "filters_prepare_";

    private void RunRecorded(Kernel kernel, in LaunchGrid grid, byte[] values, ILaunchRecorder recorder)
    {
        var parameters = new List<RecordedParameter>();
        var reached = new List<Allocation>();
        foreach (KernelParameter parameter in kernel.Parameters)
        {
            ulong value = 0;
            for (int i = 0; i < Math.Min(parameter.Bytes, sizeof(ulong)); i++)
                value |= (ulong)values[parameter.Offset + i] << (8 * i);
            Allocation? block = parameter.Bytes == sizeof(ulong) ? _memory.Find(value, 1) : null;
            if (block is not null && !reached.Contains(block))
                reached.Add(block);
            parameters.Add(block is null
                ? new RecordedParameter(null, value) : new RecordedParameter(reached.IndexOf(block), value - block.Address));
        }
        List<RecordedPointer> pointers = FindPointers(kernel.Name, reached);
        List<byte[]> before = [.. reached.Select(Copy)];
        _runner.Run(kernel, grid, values);
        recorder.Add(new RecordedLaunch(
            kernel.Name, grid, parameters, _block.Races.BytesRead, _block.Races.BytesWritten,
            [.. reached.Zip(before, (block, old) => new RecordedArray(old, Copy(block)))], pointers));
    }

    // Of kernels whose first parameter points to a list with pointers in it: each word that is an address.
    private List<RecordedPointer> FindPointers(string kernel, List<Allocation> reached)
    {
        var pointers = new List<RecordedPointer>();
        if (!kernel.StartsWith(KernelsWithLists, StringComparison.Ordinal))
            return pointers;
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(Copy(reached[0]).AsSpan());
        for (int i = 0; i < words.Length; i++)
        {
            if (_memory.Find(words[i], 1) is not { } block)
                continue;
            if (!reached.Contains(block))
                reached.Add(block);
            pointers.Add(new RecordedPointer(0, i * sizeof(ulong), reached.IndexOf(block), words[i] - block.Address));
        }
        return pointers;
    }

    private static byte[] Copy(Allocation block) => new ReadOnlySpan<byte>(block.Data, checked((int)block.Bytes)).ToArray();
}
