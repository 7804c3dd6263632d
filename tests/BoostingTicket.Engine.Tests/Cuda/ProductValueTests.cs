using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.SoftwareCuda;
using BoostingTicket.SoftwareCuda.Libraries;

namespace BoostingTicket.Engine.Tests.Cuda;

/// <summary>A cuBLAS that computes wrong products, NaN, or refuses: linear layers stay right, and the backend says what it
/// dropped.</summary>
internal sealed class ProductValueTests
{
    private const int Batch = 5;

    // A linear layer of 72 values and 10 features.
    private static readonly ConvolutionShape Shape = new(new FeatureShape(8, 3, 3), 10, 3, 3, 1, 0);

    private static CublasCompute Wanted(Precision precision) => precision == Precision.TensorFloat32
        ? CublasCompute.Float32FastTensorFloat32
        : CublasCompute.Float32;

    [Test]
    public void Products_are_checked_and_noted([Values] Precision precision)
    {
        using CudaBackend backend = Open(precision, (_, _) => Unsoundness.None, out _);
        foreach (ConvolutionDirection direction in Enum.GetValues<ConvolutionDirection>())
        {
            ConvolutionPlan plan = backend.Algorithms.Find(direction, Shape, Batch);
            Assert.That((plan.Product, plan.IsChecked), Is.EqualTo((Wanted(precision), true)), plan.Name);
            Assert.That(backend.Choices.Made[plan.Name], Is.EqualTo($"product {Wanted(precision)}"));
        }
        Assert.That(backend.Choices.Findings, Is.Empty);
        Assert.That(backend.Choices.Works.Select(work => work.Check), Has.Exactly(3).EqualTo("checked"));
    }

    [Test]
    public void Wrong_product_is_dropped_and_named(
        [Values] Precision precision, [Values(Unsoundness.Quarter, Unsoundness.NaN, Unsoundness.Refusal)] Unsoundness amiss)
    {
        using CudaBackend backend = Open(
            precision, (compute, _) => compute == Wanted(precision) ? amiss : Unsoundness.None, out UnsoundCublas cublas);
        foreach (ConvolutionDirection direction in Enum.GetValues<ConvolutionDirection>())
        {
            ConvolutionPlan plan = backend.Algorithms.Find(direction, Shape, Batch);
            Assert.That(plan.Product, Is.Not.EqualTo(Wanted(precision)), plan.Name);
            Assert.That(plan.IsChecked, plan.Name);
            Assert.That(backend.Choices.Findings, Has.Some.StartsWith($"cuBLAS's product {Wanted(precision)} ").And.Some.Contains(
                $"in the {plan.Name}; another way is taken."));
        }
        Assert.That(cublas.Spoiled, Is.GreaterThanOrEqualTo(3));
    }

    [Test]
    public void Second_kind_that_is_wrong_does_not_cost_the_first()
    {
        using CudaBackend backend = Open(
            Precision.Float32, (compute, _) =>
                compute == CublasCompute.Float32Pedantic ? Unsoundness.Quarter : Unsoundness.None, out _);
        ConvolutionPlan plan = backend.Algorithms.Find(ConvolutionDirection.Forward, Shape, Batch);
        Assert.That((plan.Product, plan.Dropped.Count), Is.EqualTo((CublasCompute.Float32, 1)));
    }

    [Test]
    public void Last_bits_are_no_reason_to_drop([Values] Precision precision)
    {
        using CudaBackend backend = Open(
            precision, (compute, _) => compute == Wanted(precision) ? Unsoundness.LastBit : Unsoundness.None,
            out UnsoundCublas cublas);
        foreach (ConvolutionDirection direction in Enum.GetValues<ConvolutionDirection>())
            backend.Algorithms.Find(direction, Shape, Batch);
        Assert.That(cublas.Spoiled, Is.GreaterThan(0));
        Assert.That(backend.Choices.Findings, Is.Empty);
    }

    [Test]
    public void Results_of_networks_stay_right()
    {
        using CudaBackend backend = Open(
            Precision.Float32, (compute, adds) =>
                compute == CublasCompute.Float32 || adds ? Unsoundness.Quarter : Unsoundness.None, out UnsoundCublas cublas);
        NetworkAgreement.Require(backend, "fan-out");
        Assert.That(cublas.Spoiled, Is.GreaterThan(0));
    }

    [Test]
    public void Choice_of_an_earlier_process_holds()
    {
        using CudaBackend first = Open(
            Precision.Float32, (compute, _) =>
                compute == CublasCompute.Float32 ? Unsoundness.Refusal : Unsoundness.None, out _);
        string name = first.Algorithms.Find(ConvolutionDirection.Forward, Shape, Batch).Name;
        using CudaBackend second = Open(Precision.Float32, (_, _) => Unsoundness.None, out _);
        second.Choices.Restore(first.Choices.Made);
        Assert.That(
            second.Algorithms.Find(ConvolutionDirection.Forward, Shape, Batch).Product,
            Is.EqualTo(CublasCompute.Float32Pedantic), name);
    }

    [TestCase("product Float32", CublasCompute.Float32Pedantic, true)]
    [TestCase("product Float32FastTensorFloat32", CublasCompute.Float32Pedantic, false)]
    [TestCase("product Float32Pedantic", CublasCompute.Float32Pedantic, false)]
    [TestCase("algorithm 1 Fma", CublasCompute.Float32Pedantic, false)]
    [TestCase("", CublasCompute.Float32Pedantic, false)]
    public void Choices_that_were_edited_or_are_wrong_by_now_change_no_value(string kept, CublasCompute taken, bool isTold)
    {
        using CudaBackend backend = Open(
            Precision.Float32, (compute, _) =>
                compute == CublasCompute.Float32 ? Unsoundness.Quarter : Unsoundness.None, out _);
        backend.Choices.Restore(new Dictionary<string, string>
        {
            [$"forward pass of {Shape.Input} by 10 filters of 3x3, stride 1, padding 0, batch {Batch}"] = kept,
        });
        ConvolutionPlan plan = backend.Algorithms.Find(ConvolutionDirection.Forward, Shape, Batch);
        Assert.That((plan.Product, plan.IsChecked), Is.EqualTo((taken, true)));
        Assert.That(
            backend.Choices.Findings.Any(finding => finding.Contains("is not computed as it was before")), Is.EqualTo(isTold));
    }

    [Test]
    public void Where_every_product_is_wrong_the_message_says_so()
    {
        using CudaBackend backend = Open(Precision.Float32, (_, _) => Unsoundness.NaN, out _);
        Assert.That(
            () => backend.Algorithms.Find(ConvolutionDirection.Forward, Shape, Batch),
            Throws.TypeOf<DeviceException>().With.Message.StartsWith(
                "cuBLAS 130000 does not compute the forward pass of 8x3x3 by 10 filters").And.Message.Contains(
                    "Dropped: product Float32 gives NaN; product Float32Pedantic gives NaN."));
    }

    private static CudaBackend Open(
        Precision precision, Func<CublasCompute, bool, Unsoundness> rule, out UnsoundCublas cublas)
    {
        var device = new SoftwareCudaDevice(new SoftwareCudaOptions { MemoryBytes = 128UL << 20 });
        UnsoundCublas? unsound = null;
        CudaBackend backend = SoftwareMachine.Open(
            new CudaOptions(Precision: precision), device,
            replaceCublas: inner => unsound = new UnsoundCublas(inner, device, rule));
        cublas = unsound!;
        return backend;
    }
}
