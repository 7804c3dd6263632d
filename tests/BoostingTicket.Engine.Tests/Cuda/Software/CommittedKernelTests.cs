using BoostingTicket.Engine.Cuda.Kernels;

namespace BoostingTicket.Engine.Tests.Cuda.Software;

/// <summary>Every instruction of the kernels that the engine carries can be executed.</summary>
internal sealed class CommittedKernelTests : SoftwareFixture
{
    [TestCaseSource(typeof(KernelLibrary), nameof(KernelLibrary.Families))]
    public void Every_instruction_is_known(string family)
    {
        nint module = Device.LoadModule(KernelLibrary.Ptx(family));
        Assert.That(Device.Coverage.Kernels, Is.Not.Empty);
        foreach (string kernel in Device.Coverage.Kernels.Keys)
        {
            nint function = Device.Function(module, kernel);
            Assert.That(Device.ParameterSizes(function), Is.Not.Empty, kernel);
        }
        Device.UnloadModule(module);
    }
}
