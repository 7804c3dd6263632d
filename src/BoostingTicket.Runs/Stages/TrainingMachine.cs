using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Devices;

namespace BoostingTicket.Runs.Stages;

/// <summary>What a training computed on, in the words of <c>environment.json</c>. Times of two machines do not compare; nor do
/// those of one device with other numbers of threads, which its words name.</summary>
/// <param name="Device">The device.</param>
/// <param name="Processor">The processor.</param>
internal sealed record TrainingMachine(string Device, string Processor)
{
    /// <summary>Whether a GPU computed, of whose work the processor's seconds say nothing.</summary>
    public bool HasGpu() => !Device.StartsWith($"{DeviceCatalog.Cpu}:", StringComparison.Ordinal);

    /// <summary>Both, for people.</summary>
    public override string ToString() => $"{Device}; {Processor}";

    /// <summary>This process's.</summary>
    /// <param name="backend">The device.</param>
    public static TrainingMachine Of(IBackend backend)
    {
        ArgumentNullException.ThrowIfNull(backend);
        return new TrainingMachine($"{backend.Device.Name}: {backend.Device.Description}", ProgramFacts.Processor);
    }
}
