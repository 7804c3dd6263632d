using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing;
using BoostingTicket.SoftwareCuda;

namespace BoostingTicket.Training.Tests.Golden;

/// <summary>The backends that whole networks are tested on.</summary>
internal static class TestBackends
{
    private const string Reference = "reference";
    private const string Cpu = "cpu-";
    private const string SoftwareCuda = "cuda-software";
    private const int Threads = 2;

    /// <summary>Names of all backends, also of those that this machine cannot run.</summary>
    public static IEnumerable<string> Names =>
        [Reference, .. Enum.GetNames<InstructionSet>().Select(name => Cpu + name), SoftwareCuda];

    /// <summary>Names of the backends that this machine can run.</summary>
    public static IEnumerable<string> Available =>
        [Reference, .. InstructionSets.Available.Select(instructions => Cpu + instructions), SoftwareCuda];

    /// <summary>Makes the backend of a name; the test is skipped where the machine has not the instructions.</summary>
    public static IBackend Create(string name)
    {
        if (name == Reference)
            return new ReferenceBackend();
        if (name == SoftwareCuda)
            return SoftwareMachine.Open(new CudaOptions(Precision: Precision.Float32, Deterministic: true));
        InstructionSet instructions = Enum.Parse<InstructionSet>(name[Cpu.Length..]);
        if (!InstructionSets.Available.Contains(instructions))
            Assert.Ignore($"This machine has no {instructions}.");
        return CpuBackend.Create(Threads, instructions);
    }
}
