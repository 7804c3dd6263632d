using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Devices;
using BoostingTicket.Engine.Ranks;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.SoftwareCuda;
using BoostingTicket.SoftwareCuda.Libraries;

namespace BoostingTicket.Training.Tests.Ranks;

/// <summary>Software GPUs of ranks that are threads, joined by software NCCLs.</summary>
internal sealed class NcclRanks
{
    // Every byte of it is filled and watched.
    private const ulong Memory = 24UL << 20;

    private readonly SoftwareNcclNetwork _network = new();
    private readonly Lock _lock = new();

    /// <summary>What may carry values.</summary>
    public DeviceLineUse Use { get; init; }

    /// <summary>Whether work is recorded.</summary>
    public bool Records { get; init; } = true;

    /// <summary>Number of a rank's PCI bus.</summary>
    public Func<int, int> PciBus { get; init; } = rank => rank;

    /// <summary>Whether a rank's GPU is stuck.</summary>
    public Func<int, bool> IsStuck { get; init; } = _ => false;

    /// <summary>What a rank loads for NCCL; it may throw.</summary>
    public Func<int, INccl, INccl> Load { get; init; } = (_, nccl) => nccl;

    /// <summary>Version of a rank's NCCL.</summary>
    public Func<int, int> Version { get; init; } = _ => 22_809;

    /// <summary>Time for the ranks' GPUs to meet.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Called before a rank opens its device.</summary>
    public Action<RankTeam> Begin { get; init; } = _ => { };

    /// <summary>What rank 0 said of the line.</summary>
    public string? Notice { get; private set; }

    /// <summary>Devices, in the order in which they were opened.</summary>
    public List<SoftwareCudaDevice> Devices { get; } = [];

    /// <summary>Bytes that went by NCCL.</summary>
    public long BytesSent => Libraries.Sum(nccl => nccl.BytesSent);

    private List<SoftwareNccl> Libraries { get; } = [];

    /// <summary>Opens a GPU without other ranks.</summary>
    public static CudaBackend OpenAlone() => SoftwareMachine.Open(
        Options(records: true), new SoftwareCudaDevice(new SoftwareCudaOptions { MemoryBytes = Memory }));

    /// <summary>Opens a rank's device and line.</summary>
    public (IBackend Backend, IDeviceLine? Line) Open(RankTeam team)
    {
        int rank = team.Group.Rank;
        Begin(team);
        var device = new SoftwareCudaDevice(new SoftwareCudaOptions
        {
            MemoryBytes = Memory,
            PciBus = PciBus(rank),
            IsStuck = () => IsStuck(rank),
        });
        var nccl = new SoftwareNccl(device, _network, Version(rank));
        lock (_lock)
        {
            Devices.Add(device);
            Libraries.Add(nccl);
        }
        CudaBackend backend = SoftwareMachine.Open(Options(Records), device);
        try
        {
            IDeviceLine line = DeviceLines.Open(
                team, backend, Use, () => Load(rank, nccl), Patience, out string? notice);
            Notice = rank == 0 ? notice : Notice;
            return (backend, line);
        }
        catch
        {
            backend.Dispose();
            throw;
        }
    }

    /// <summary>What is left of devices whose backends gave up.</summary>
    public void Forget()
    {
        foreach (SoftwareCudaDevice device in Devices)
        {
            try
            {
                device.Dispose();
            }
            catch (SoftwareCudaException)
            {
                // It names what was never freed, which is right where nothing may be freed.
            }
        }
    }

    private static CudaOptions Options(bool records) => new(
        Precision: Precision.Float32, Deterministic: true, Records: records);
}
