using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Tests.Cuda.Kernels;

/// <summary>A driver without a GPU that notes modules and launches; everything else does nothing and answers 0.</summary>
internal sealed unsafe class RecordingDriver : ICudaDriver
{
    private readonly ulong[] _parameters = new ulong[32];

    /// <summary>Modules that were loaded and not unloaded.</summary>
    public int LoadedModules { get; private set; }

    /// <summary>Modules that were ever loaded.</summary>
    public int Loads { get; private set; }

    /// <summary>The last launch's function, grid and stream.</summary>
    public (nint Function, LaunchGrid Grid, nint Stream) Launched { get; private set; }

    /// <summary>Parameters that a launch reads.</summary>
    public int ParameterCount { get; set; }

    /// <summary>The eight bytes at each parameter's address, at the last launch.</summary>
    public ReadOnlySpan<ulong> Parameters => _parameters.AsSpan(0, ParameterCount);

    public int Version => 12000;

    public int DeviceCount => 1;

    public string DeviceName(int device) => "none";

    public int Attribute(DeviceAttribute attribute, int device) => attribute == DeviceAttribute.MultiprocessorCount ? 132 : 0;

    public nint LoadModule(ReadOnlySpan<byte> ptx)
    {
        LoadedModules++;
        return ++Loads;
    }

    public void UnloadModule(nint module) => LoadedModules--;

    public nint Function(nint module, string name) => module * 1000 + name.Length;

    public void Launch(nint function, in LaunchGrid grid, nint stream, void** parameters)
    {
        Launched = (function, grid, stream);
        for (int i = 0; i < ParameterCount; i++)
            _parameters[i] = *(ulong*)parameters[i];
    }

    public ulong TotalMemory(int device) => 0;

    public nint RetainPrimaryContext(int device) => 0;

    public void ReleasePrimaryContext(int device) { }

    public void SetCurrentContext(nint context) { }

    public DevicePointer Allocate(nuint bytes, nint stream) => default;

    public void Free(DevicePointer pointer, nint stream) { }

    public (ulong Free, ulong Total) MemoryInfo() => default;

    public void* AllocateHost(nuint bytes) => null;

    public void FreeHost(void* pointer) { }

    public void CopyToDevice(DevicePointer destination, void* source, nuint bytes, nint stream) { }

    public void CopyToHost(void* destination, DevicePointer source, nuint bytes, nint stream) { }

    public void CopyOnDevice(DevicePointer destination, DevicePointer source, nuint bytes, nint stream) { }

    public void Fill(DevicePointer destination, uint value, nuint words, nint stream) { }

    public nint CreateStream() => 0;

    public void DestroyStream(nint stream) { }

    public void Synchronize(nint stream) { }

    public nint CreateEvent() => 0;

    public void DestroyEvent(nint @event) { }

    public void Record(nint @event, nint stream) { }

    public void SynchronizeEvent(nint @event) { }

    public bool IsReached(nint @event) => true;

    public float Milliseconds(nint start, nint end) => 0;

    public void BeginCapture(nint stream) { }

    public nint EndCapture(nint stream) => 0;

    public void DestroyGraph(nint graph) { }

    public nint Instantiate(nint graph) => 0;

    public void LaunchGraph(nint executable, nint stream) { }

    public void DestroyExecutable(nint executable) { }

    public void Dispose() { }
}
