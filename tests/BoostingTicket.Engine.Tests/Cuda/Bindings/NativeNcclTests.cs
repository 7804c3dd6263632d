using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Tests.Cuda.Bindings;

/// <summary>Calls of NCCL as C receives them.</summary>
[NonParallelizable]
internal sealed unsafe class NativeNcclTests
{
    private const nint Communicator = 0xc0, Stream = 0x57;

    private FakeLibraries _libraries = null!;
    private NativeModule _module = null!;
    private NativeNccl _nccl = null!;

    [OneTimeSetUp]
    public void Load()
    {
        _libraries = FakeLibraries.Compile();
        _module = _libraries.Load(LibraryName.Nccl);
        _nccl = new NativeNccl(_module);
    }

    [OneTimeTearDown]
    public void Delete()
    {
        _nccl?.Dispose();
        _libraries?.Dispose();
    }

    [SetUp]
    public void Reset()
    {
        FakeLibraries.Reset(_module);
        SetState(0);
    }

    [Test]
    public void Version_is_asked_for() => Assert.That(_nccl.Version, Is.EqualTo(22_809));

    [Test]
    public void Calls_reach_C_with_their_arguments()
    {
        NcclId id = NcclId.Of(_nccl.CreateId().ToArray());
        Assert.That(_nccl.Join(4, id, 3), Is.EqualTo(Communicator), "in progress is no failure");
        _nccl.BeginGroup();
        _nccl.Send(new DevicePointer(0x7f00_0000_0000), unchecked((nuint)5_000_000_000), 1, Communicator, Stream);
        _nccl.Receive(new DevicePointer(0x7f00_0000_1000), 17, 2, Communicator, Stream);
        _nccl.EndGroup();
        _nccl.Abort(Communicator);
        Assert.That(FakeLibraries.Calls(_module), Is.EqualTo(new[]
        {
            "ncclGetUniqueId()",
            "ncclCommInitRankConfig(4, 0 wrong, 3, 48 cafebeef 21800, 0, -2147483648 -2147483648 -2147483648, 0, -2147483648)",
            "ncclGroupStart()", "ncclSend(7f0000000000, 5000000000, 7, 1, c0, 57)", "ncclRecv(7f0000001000, 17, 7, 2, c0, 57)",
            "ncclGroupEnd()", "ncclCommAbort(c0)",
        }));
    }

    [TestCase(0, true)]
    [TestCase(7, false)]
    public void A_call_that_goes_on_is_not_ready(int state, bool isReady)
    {
        SetState(state);
        Assert.That(_nccl.IsReady(Communicator), Is.EqualTo(isReady));
    }

    [Test]
    public void An_asynchronous_error_is_named()
    {
        SetState(6);
        Assert.That(() => _nccl.IsReady(Communicator), Throws.TypeOf<CudaException>().With.Message.EqualTo(
            "NCCL answered ncclRemoteError (6) to transfers: another process ended, or cannot be reached; it says: the cable is "
            + "cut"));
    }

    [Test]
    public void A_call_that_fails_is_named()
    {
        FakeLibraries.Fail(_module, "ncclSend", 5);
        CudaException failure = Assert.Throws<CudaException>(
            () => _nccl.Send(new DevicePointer(1), 1, 1, Communicator, Stream))!;
        Assert.That(failure.Message, Does.StartWith("NCCL answered ncclInvalidUsage (5) to ncclSend("));
        Assert.That((failure.IsOutOfMemory, failure.IsNotSupported, failure.IsRefusal), Is.EqualTo((false, false, false)));
    }

    [Test]
    public void It_is_found_among_the_packages_of_Python()
    {
        var host = new FakeHost().Set("VIRTUAL_ENV", "/venv").With(
            "/venv/lib/python3.11/site-packages/nvidia/nccl/lib/libnccl.so.2");
        Assert.That(
            new LibrarySearch(host).Locate(LibraryName.Nccl)?.Path,
            Is.EqualTo("/venv/lib/python3.11/site-packages/nvidia/nccl/lib/libnccl.so.2"));
    }

    [Test]
    public void An_old_one_is_refused_and_one_that_is_missing_is_asked_for()
    {
        using FakeLibraries old = FakeLibraries.Compile(nccl: 21_503);
        Assert.That(() => new CudaInventory(old.Host).LoadNccl(), Throws.TypeOf<DeviceException>().With.Message.Contains(
            "is too old, and wanted is 2.18.0 or later").And.Message.StartsWith("NCCL 2.15.3 ("));
        Assert.That(() => new CudaInventory(new FakeHost()).LoadNccl(), Throws.TypeOf<DeviceException>().With.Message.StartsWith(
            "no NCCL (libnccl.so.2): install NCCL with 'pip install nvidia-nccl-cu12'"));
    }

    private void SetState(int state) => ((delegate* unmanaged<int, void>)Export("fake_state"))(state);

    private nint Export(string name) => _module.Host.TryExport(_module.Handle, name, out nint address)
        ? address
        : throw new InvalidOperationException($"there is no {name}");
}
