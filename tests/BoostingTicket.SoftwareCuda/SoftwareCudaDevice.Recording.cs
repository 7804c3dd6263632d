using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.SoftwareCuda.Execution;
using BoostingTicket.SoftwareCuda.Memory;

namespace BoostingTicket.SoftwareCuda;

internal sealed unsafe partial class SoftwareCudaDevice
{
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
        List<byte[]> before = [.. reached.Select(Copy)];
        _runner.Run(kernel, grid, values);
        recorder.Add(new RecordedLaunch(
            kernel.Name, grid, parameters, _block.Races.BytesRead, _block.Races.BytesWritten,
            [.. reached.Zip(before, (block, old) => new RecordedArray(old, Copy(block)))]));
    }

    private static byte[] Copy(Allocation block) => new ReadOnlySpan<byte>(block.Data, checked((int)block.Bytes)).ToArray();
}
