using System.Collections.Concurrent;
using System.Text;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.SoftwareCuda.Execution;
using BoostingTicket.SoftwareCuda.Memory;
using BoostingTicket.SoftwareCuda.Ptx;

namespace BoostingTicket.SoftwareCuda;

internal sealed unsafe partial class SoftwareCudaDevice
{
    private const int MaxThreads = 1024;
    private const uint MaxGridSide = 65535;

    // Parsed and known to hold no unknown instruction. Tests open many devices that load the same modules.
    private static readonly ConcurrentDictionary<string, PtxModule> Parsed = new(StringComparer.Ordinal);

    private readonly Dictionary<nint, LoadedModule> _modules = [];
    private readonly Dictionary<nint, LoadedFunction> _functions = [];

    private sealed class LoadedModule
    {
        public required Dictionary<string, Lazy<Kernel>> Kernels { get; init; }

        public required List<Allocation> Variables { get; init; }

        public bool IsUnloaded { get; set; }
    }

    private sealed record LoadedFunction(Lazy<Kernel> Decoded, LoadedModule Module)
    {
        // Decoding is put off until somebody needs it.
        public Kernel Kernel => Decoded.Value;
    }

    /// <inheritdoc/>
    public nint LoadModule(ReadOnlySpan<byte> ptx)
    {
        const string Call = "cuModuleLoadDataEx";
        lock (_lock)
        {
            Require(Call);
            RefuseInCapture(Call);
            if (ptx.IsEmpty || ptx[^1] != 0)
                throw new SoftwareCudaException($"{Call}: the PTX does not end with a byte 0.");
            if (ptx[..^1].ContainsAnyExceptInRange((byte)1, (byte)127))
                throw new SoftwareCudaException($"{Call}: the PTX contains bytes that are not ASCII.");
            string text = Encoding.ASCII.GetString(ptx[..^1]);
            if (_options.EditPtx is { } edit)
                text = edit(text);
            bool isKnown = Parsed.TryGetValue(text, out PtxModule? module);
            try
            {
                module ??= PtxParser.Parse(text);
            }
            catch (PtxSyntaxException error)
            {
                throw new CudaException(CudaLibrary.Driver, 218, $"{Call}: CUDA_ERROR_INVALID_PTX (218), {error.Message}");
            }
            RequireTarget(module, Call);
            LoadedModule loaded = Load(module);
            if (!isKnown)
            {
                foreach (Lazy<Kernel> kernel in loaded.Kernels.Values)
                    _ = kernel.Value;
                Parsed[text] = module;
            }
            nint handle = NewHandle();
            _modules[handle] = loaded;
            return handle;
        }
    }

    /// <inheritdoc/>
    public void UnloadModule(nint module)
    {
        lock (_lock)
        {
            Require("cuModuleUnload");
            RefuseInCapture("cuModuleUnload");
            LoadedModule loaded = Known(_modules, module, "cuModuleUnload", "module");
            loaded.IsUnloaded = true;
            foreach (Allocation variable in loaded.Variables)
                _memory.Release(variable);
            _modules.Remove(module);
            foreach (nint function in _functions.Where(pair => pair.Value.Module == loaded).Select(pair => pair.Key).ToList())
                _functions.Remove(function);
        }
    }

    /// <inheritdoc/>
    public nint Function(nint module, string name)
    {
        lock (_lock)
        {
            Require("cuModuleGetFunction");
            LoadedModule loaded = Known(_modules, module, "cuModuleGetFunction", "module");
            if (!loaded.Kernels.TryGetValue(name, out Lazy<Kernel>? kernel))
            {
                throw new CudaException(
                    CudaLibrary.Driver, 500,
                    $"cuModuleGetFunction({name}): CUDA_ERROR_NOT_FOUND (500); the module has "
                    + $"{string.Join(", ", loaded.Kernels.Keys)}.");
            }
            nint handle = NewHandle();
            _functions[handle] = new LoadedFunction(kernel, loaded);
            return handle;
        }
    }

    /// <summary>Sizes in bytes of a kernel's parameters, in order.</summary>
    public IReadOnlyList<int> ParameterSizes(nint function)
    {
        lock (_lock)
        {
            LoadedFunction loaded = Known(_functions, function, nameof(ParameterSizes), "function");
            return [.. loaded.Kernel.Parameters.Select(parameter => parameter.Bytes)];
        }
    }

    /// <inheritdoc/>
    public void Launch(nint function, in LaunchGrid grid, nint stream, void** parameters)
    {
        lock (_lock)
        {
            StreamState state = Enter(stream, "cuLaunchKernel");
            LoadedFunction loaded = Known(_functions, function, "cuLaunchKernel", "function");
            RequireLimits(loaded.Kernel, grid);
            byte[] values = CopyParameters(loaded.Kernel, parameters);
            LaunchGrid shape = grid;
            Submit(state, () =>
            {
                if (loaded.Module.IsUnloaded)
                    throw new SoftwareCudaException($"Kernel {loaded.Kernel.Name}: its module was unloaded.");
                Run(loaded.Kernel, shape, values);
            });
        }
    }

    private void Run(Kernel kernel, in LaunchGrid grid, byte[] values)
    {
        try
        {
            if (_options.Recorder is { } recorder && recorder.Wants(kernel.Name, grid))
                RunRecorded(kernel, grid, values, recorder);
            else
                _runner.Run(kernel, grid, values);
        }
        finally
        {
            Coverage.AddLaunch(kernel);
        }
    }

    private void RequireTarget(PtxModule module, string call)
    {
        string target = module.Target.Split(',')[0];
        int required = int.Parse(target.AsSpan("sm_".Length).TrimEnd("a"), System.Globalization.CultureInfo.InvariantCulture);
        int available = (_options.ComputeCapability.Major * 10) + _options.ComputeCapability.Minor;
        if (required > available)
        {
            throw new CudaException(
                CudaLibrary.Driver, 209,
                $"{call}: CUDA_ERROR_NO_BINARY_FOR_GPU (209), the PTX is for {target} and the device is sm_{available}.");
        }
    }

    private LoadedModule Load(PtxModule module)
    {
        var addresses = new Dictionary<string, ulong>(StringComparer.Ordinal);
        var variables = new List<Allocation>();
        foreach (PtxVariable variable in module.Variables)
        {
            if (variable.Space is not (PtxSpace.Global or PtxSpace.Constant))
                continue;
            AllocationKind kind = variable.Space == PtxSpace.Constant ? AllocationKind.Constant : AllocationKind.Variable;
            Allocation block = _memory.Allocate(Math.Max(variable.Bytes, 1), kind, $"the variable {variable.Name}")!;
            new Span<byte>(block.Data, variable.Bytes).Clear();
            variable.Initial?.CopyTo(new Span<byte>(block.Data, variable.Bytes));
            DeviceMemory.Mark(block, block.Address, variable.Bytes, written: true);
            addresses[variable.Name] = block.Address;
            variables.Add(block);
        }
        foreach ((PtxVariable variable, Allocation block) in module.Variables
            .Where(variable => variable.Space is PtxSpace.Global or PtxSpace.Constant).Zip(variables))
        {
            foreach (PtxReference reference in variable.References)
            {
                if (!addresses.TryGetValue(reference.Name, out ulong address))
                {
                    throw new SoftwareCudaException(
                        $"The variable {variable.Name} refers to {reference.Name}, which the module lacks.");
                }
                *(ulong*)(block.Data + reference.Offset) = address + (ulong)reference.Addend;
            }
        }
        var kernels = new Dictionary<string, Lazy<Kernel>>(StringComparer.Ordinal);
        foreach (PtxFunction function in module.Functions.Where(function => function.IsKernel))
        {
            kernels[function.Name] = new Lazy<Kernel>(() => KernelDecoder.Decode(module, function, addresses));
            Coverage.AddKernel(function.Name);
        }
        return new LoadedModule { Kernels = kernels, Variables = variables };
    }

    private static void RequireLimits(Kernel kernel, in LaunchGrid grid)
    {
        ulong threads = (ulong)grid.BlockX * grid.BlockY * grid.BlockZ;
        string? defect = null;
        if (threads == 0 || (ulong)grid.GridX * grid.GridY * grid.GridZ == 0)
            defect = "the grid or the block is empty";
        else if (threads > MaxThreads)
            defect = $"{threads} threads are more than the {MaxThreads} that a block may have";
        else if (grid.BlockX > MaxThreads || grid.BlockY > MaxThreads || grid.BlockZ > 64)
            defect = "a side of the block is longer than 1024 x 1024 x 64";
        else if (grid.GridX > int.MaxValue || grid.GridY > MaxGridSide || grid.GridZ > MaxGridSide)
            defect = "a side of the grid is longer than 2147483647 x 65535 x 65535";
        else if (kernel.SharedBytes > SharedMemory.Capacity)
            defect = $"it declares {kernel.SharedBytes} bytes of shared memory, more than {SharedMemory.Capacity}";
        else if (kernel.Source.MaxThreads > 0 && threads > (ulong)kernel.Source.MaxThreads)
            defect = $"{threads} threads are more than its launch bound of {kernel.Source.MaxThreads}";
        else if (kernel.Source.RequiredThreads is { } required && !IsShape(required, grid))
            defect = $"its blocks must be of {string.Join(" x ", required)} threads";
        if (defect is not null)
        {
            throw new SoftwareCudaException(
                $"Kernel {kernel.Name}: launch beyond the limits: {defect}; grid ({grid.GridX}, {grid.GridY}, {grid.GridZ}), "
                + $"block "
                + $"({grid.BlockX}, {grid.BlockY}, {grid.BlockZ}).");
        }
    }

    private static bool IsShape(IReadOnlyList<int> required, in LaunchGrid grid) =>
        (uint)required[0] == grid.BlockX
        && grid.BlockY == (required.Count > 1 ? (uint)required[1] : 1)
        && grid.BlockZ == (required.Count > 2 ? (uint)required[2] : 1);

    private static byte[] CopyParameters(Kernel kernel, void** parameters)
    {
        byte[] values = new byte[kernel.ParameterBytes];
        if (kernel.Parameters.Length > 0 && parameters is null)
        {
            throw new SoftwareCudaException(
                $"Kernel {kernel.Name}: it has {kernel.Parameters.Length} parameters and none is given.");
        }
        for (int i = 0; i < kernel.Parameters.Length; i++)
        {
            KernelParameter parameter = kernel.Parameters[i];
            if (parameters[i] is null)
            {
                throw new SoftwareCudaException(
                    $"Kernel {kernel.Name}: the value of parameter {i} ({parameter.Name}) is not given.");
            }
            new ReadOnlySpan<byte>(parameters[i], parameter.Bytes).CopyTo(values.AsSpan(parameter.Offset));
        }
        return values;
    }
}
