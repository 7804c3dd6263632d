using BoostingTicket.Engine.Cuda;

/// <summary>Looks for CUDA before any test: later, the stand-ins that tests of the bindings load under the names of its libraries would
/// be found in their place. In no namespace, so that it comes before all tests of the assembly.</summary>
[SetUpFixture]
internal sealed class MachineSetUp
{
    [OneTimeSetUp]
    public void LookForCuda() => CudaProbe.Run();
}
