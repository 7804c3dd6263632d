using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.SoftwareCuda;
using BoostingTicket.SoftwareCuda.Libraries;

namespace BoostingTicket.Engine.Tests.Cuda;

/// <summary>A cuDNN that computes wrong values, NaN, or refuses without rule: what the backend computes stays right, and it says
/// what it dropped.</summary>
internal sealed class ConvolutionValueTests
{
    private const int Batch = 3;

    private static readonly ConvolutionShape Shape = new(new FeatureShape(8, 6, 6), 16, 3, 3, 1, 1);

    private static IEnumerable<TestCaseData> WrongAlgorithms()
    {
        foreach (Precision precision in Enum.GetValues<Precision>())
        {
            foreach (Unsoundness amiss in (Unsoundness[])[Unsoundness.Quarter, Unsoundness.NaN])
            {
                foreach (bool deterministic in (bool[])[false, true])
                    yield return new TestCaseData(precision, amiss, deterministic);
            }
        }
    }

    [TestCaseSource(nameof(WrongAlgorithms))]
    public void Algorithm_with_wrong_values_is_dropped_and_named(Precision precision, Unsoundness amiss, bool deterministic)
    {
        // Of each pass the algorithm that would be taken.
        var taken = new Dictionary<ConvolutionDirection, int>();
        using (CudaBackend sound = SoftwareMachine.Open(new CudaOptions(Precision: precision, Deterministic: deterministic)))
        {
            foreach (ConvolutionDirection direction in Enum.GetValues<ConvolutionDirection>())
            {
                ConvolutionPlan plan = sound.Algorithms.Find(direction, Shape, Batch);
                taken[direction] = plan.Algorithm;
                Assert.That((plan.IsChecked, plan.Dropped.Count), Is.EqualTo((true, 0)), plan.Name);
            }
            Assert.That(sound.Choices.Findings, Is.Empty);
        }
        using CudaBackend backend = Open(
            precision, deterministic, (call, direction, algorithm) =>
                algorithm == taken[direction] ? amiss : Unsoundness.None, out _);
        foreach (ConvolutionDirection direction in Enum.GetValues<ConvolutionDirection>())
        {
            ConvolutionPlan plan = backend.Algorithms.Find(direction, Shape, Batch);
            Assert.That(plan.Algorithm, Is.Not.EqualTo(taken[direction]), plan.Name);
            Assert.That(plan.IsChecked, plan.Name);
            Assert.That(
                backend.Choices.Findings,
                Has.Some.StartsWith($"cuDNN's algorithm {taken[direction]} ").And.Some.Contains(plan.Name)
                    .And.Some.Contains(amiss == Unsoundness.NaN ? "gives NaN" : "is right"));
        }
    }

    [Test]
    public void Second_algorithm_that_is_wrong_does_not_cost_the_first()
    {
        using CudaBackend backend = Open(
            Precision.Float32, true,
            (call, direction, algorithm) => direction == ConvolutionDirection.Forward && algorithm == 0
                ? Unsoundness.Quarter : Unsoundness.None,
            out _);
        ConvolutionPlan plan = backend.Algorithms.Find(ConvolutionDirection.Forward, Shape, Batch);
        Assert.That((plan.Algorithm, plan.IsChecked), Is.EqualTo((1, true)));
        Assert.That(plan.Dropped, Has.Count.EqualTo(1));
    }

    [Test]
    public void Last_bits_are_no_reason_to_drop([Values] Precision precision)
    {
        using CudaBackend backend = Open(
            precision, false, (_, _, algorithm) =>
                algorithm % 2 == 1 ? Unsoundness.LastBit : Unsoundness.None, out UnsoundCudnn cudnn);
        foreach (ConvolutionDirection direction in Enum.GetValues<ConvolutionDirection>())
            backend.Algorithms.Find(direction, Shape, Batch);
        Assert.That(cudnn.Spoiled, Is.GreaterThan(0));
        Assert.That(backend.Choices.Findings, Is.Empty);
    }

    [TestCase(CudnnCall.Epilogue, Unsoundness.Quarter)]
    [TestCase(CudnnCall.Epilogue, Unsoundness.NaN)]
    [TestCase(CudnnCall.Sum, Unsoundness.Quarter)]
    [TestCase(CudnnCall.Sum, Unsoundness.NaN)]
    public void Wrong_epilogue_or_sum_is_done_in_two_calls(CudnnCall wrong, Unsoundness amiss)
    {
        using CudaBackend backend = Open(
            Precision.Float32, true, (call, _, _) => call == wrong ? amiss : Unsoundness.None, out UnsoundCudnn cudnn);
        NetworkAgreement.Require(backend, "post-activation");
        Assert.That(cudnn.Spoiled, Is.GreaterThan(0), "it was tried");
        Assert.That(backend.Choices.Findings, Is.Not.Empty.And.All.EndsWith("it is done in two calls."));
    }

    [TestCase(1)]
    [TestCase(2)]
    public void Refusals_without_rule_change_no_result(int seed)
    {
        var random = new Random(seed);
        using CudaBackend backend = Open(
            Precision.Float32, false, (_, _, _) => random.Next(5) == 0 ? Unsoundness.Refusal : Unsoundness.None,
            out UnsoundCudnn cudnn);
        NetworkAgreement.Require(backend, "post-activation");
        Assert.That(cudnn.Spoiled, Is.GreaterThan(20));
        Assert.That(backend.Choices.Findings, Has.Some.Contains("refuse"));
    }

    [Test]
    public void Where_every_algorithm_is_wrong_the_message_says_so()
    {
        using CudaBackend backend = Open(Precision.Float32, true, (_, _, _) => Unsoundness.Quarter, out _);
        Assert.That(
            () => backend.Algorithms.Find(ConvolutionDirection.Forward, Shape, Batch),
            Throws.TypeOf<DeviceException>().With.Message.StartsWith(
                "cuDNN 9.10.2 has no algorithm that always gives the same bits for the forward pass of 8x6x6 by 16 filters")
                .And.Message.Contains("Dropped: algorithm 1 Fma gives "));
    }

    private static CudaBackend Open(
        Precision precision, bool deterministic, Func<CudnnCall, ConvolutionDirection, int, Unsoundness> rule,
        out UnsoundCudnn cudnn)
    {
        var device = new SoftwareCudaDevice(new SoftwareCudaOptions { MemoryBytes = 128UL << 20 });
        UnsoundCudnn? unsound = null;
        CudaBackend backend = SoftwareMachine.Open(
            new CudaOptions(Precision: precision, Deterministic: deterministic), device,
            inner => unsound = new UnsoundCudnn(inner, device, rule));
        cudnn = unsound!;
        return backend;
    }
}
