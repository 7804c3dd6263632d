using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing;
using BoostingTicket.SoftwareCuda;
using BoostingTicket.SoftwareCuda.Libraries;

namespace BoostingTicket.Engine.Tests.Cuda;

/// <summary>A pass is added to its destination in one call only where that was measured to be faster, and as an earlier process
/// chose.</summary>
internal sealed class SumChoiceTests
{
    // Its gradients meet in one place.
    private const string Network = "post-activation";
    private const string Sum = "added to its destination";
    private const float Slow = 3e-3f, Fast = 1e-3f;

    [TestCase(Slow, Fast, "apart")]
    [TestCase(Fast, Slow, "one call")]
    public void Faster_way_is_taken_and_noted(float sum, float pass, string way)
    {
        using Machine machine = Machine.Open(sum, pass);
        NetworkAgreement.Require(machine.Backend, Network);
        string[] ways = [.. machine.Backend.Choices.Made.Where(made => made.Key.Contains(Sum)).Select(made => made.Value)];
        Assert.That(
            ways, Is.Not.Empty.And.All.EqualTo(way), string.Join('\n', machine.Backend.Choices.Made));
        Assert.That(machine.Backend.Choices.Findings, Is.Empty);
        Assert.That(
            machine.Backend.Choices.Works.Where(work => work.Accumulates is not null).Select(work => work.Accumulates),
            Is.Not.Empty.And.All.EqualTo(way == "one call"));

        // From here on nothing is measured or tried: what was chosen runs.
        int before = machine.Sums;
        NetworkAgreement.Require(machine.Backend, Network);
        Assert.That(machine.Sums - before, way == "apart" ? Is.Zero : Is.GreaterThan(0));
    }

    [TestCase(Slow, Fast)]
    [LongTestCase(Fast, Slow)]
    public void Choice_of_an_earlier_process_holds_whatever_the_clock_says(float sum, float pass)
    {
        using Machine first = Machine.Open(sum, pass);
        NetworkAgreement.Require(first.Backend, Network);
        using Machine second = Machine.Open(pass, sum);
        second.Backend.Choices.Restore(first.Backend.Choices.Made);
        NetworkAgreement.Require(second.Backend, Network);
        Assert.That(second.Backend.Choices.Made, Is.EqualTo(first.Backend.Choices.Made));
    }

    [Test]
    public void Deterministic_results_measure_nothing()
    {
        using Machine machine = Machine.Open(Slow, Fast, deterministic: true);
        NetworkAgreement.Require(machine.Backend, Network);
        Assert.That(
            machine.Backend.Choices.Made.Where(made => made.Key.Contains(Sum)).Select(made => made.Value),
            Is.Not.Empty.And.All.EqualTo("one call"));
    }

    // Its clock counts what cuDNN and cuBLAS do: so much for a call that adds, so much for one that does not, nothing for
    // kernels.
    private sealed class Machine : IDisposable
    {
        private float _clock, _read;

        public required CudaBackend Backend { get; init; }

        /// <summary>Calls that added, on memory of the network or of a measurement.</summary>
        public int Sums { get; private set; }

        public static Machine Open(float sum, float pass, bool deterministic = false)
        {
            Machine? machine = null;
            var device = new SoftwareCudaDevice(new SoftwareCudaOptions
            {
                MemoryBytes = 128UL << 20,
                Milliseconds = () => machine!.Read(),
            });
            CudaBackend backend = SoftwareMachine.Open(
                new CudaOptions(Precision: Precision.Float32, Deterministic: deterministic), device,
                inner => new UnsoundCudnn(inner, device, (_, _, _) => Unsoundness.None)
                {
                    WhenRun = call => machine!.Advance(call == CudnnCall.Sum, call == CudnnCall.Sum ? sum : pass),
                },
                inner => new UnsoundCublas(inner, device, (_, _) => Unsoundness.None)
                {
                    WhenRun = adds => machine!.Advance(adds, adds ? sum : pass),
                });
            machine = new Machine { Backend = backend };
            return machine;
        }

        public void Dispose() => Backend.Dispose();

        private void Advance(bool adds, float milliseconds)
        {
            _clock += milliseconds;
            Sums += adds ? 1 : 0;
        }

        // What passed since it was asked last, which is more than between two events only before a first comparison.
        private float Read()
        {
            float passed = _clock - _read;
            _read = _clock;
            return passed;
        }
    }
}
