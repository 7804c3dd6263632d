using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing;

namespace BoostingTicket.Engine.Tests.Cuda;

/// <summary>What the backend can do without, at the price of time, and what therefore nobody would miss on a GPU with another driver or
/// cuDNN: graphs, convolutions with epilogue, passes that add to what is there.</summary>
[TestFixture(CudaDevices.Software, Precision.BFloat16)]
[TestFixture(CudaDevices.Software, Precision.TensorFloat32)]
[TestFixture(CudaDevices.Software, Precision.Float32)]
[TestFixture(CudaDevices.Gpu, Precision.BFloat16)]
[TestFixture(CudaDevices.Gpu, Precision.TensorFloat32)]
[TestFixture(CudaDevices.Gpu, Precision.Float32)]
public sealed class CudaLibraryUseTests(string device, Precision precision)
{
    private const int Batch = 2;

    // The three convolutions of residual networks.
    [TestCase(3, 1, 1)]
    [TestCase(3, 2, 1)]
    [TestCase(1, 2, 0)]
    public void Graphs_epilogues_and_sums_are_done_by_the_libraries(int kernel, int stride, int padding)
    {
        using var backend = (CudaBackend)CudaDevices.Open(device, new CudaOptions(Precision: precision, Deterministic: true));
        using var workspace = new Workspace(backend);
        var shape = new ConvolutionShape(new FeatureShape(16, 8, 8), 32, kernel, kernel, stride, padding);
        BufferSlice weight = workspace.Floats(Values(shape.WeightCount));
        Filter filter = workspace.Filter(shape, FilterUses.Forward | FilterUses.BackwardInput, weight);
        Tensor x = workspace.Tensor(Batch, shape.Input, Values(Batch * shape.Input.Length));
        Tensor y = workspace.Tensor(Batch, shape.Output), residual = workspace.Tensor(Batch, shape.Output, Values(Batch * shape.Output.Length));
        Tensor sum = workspace.Tensor(Batch, shape.Output, Values(Batch * shape.Output.Length));
        Tensor gradient = workspace.Tensor(Batch, shape.Input, Values(Batch * shape.Input.Length));
        BufferSlice shift = workspace.Floats(Values(shape.OutputChannels));
        backend.PrepareFilter(filter, new FilterSource(weight, null, 0, null, shift));
        using RepeatedWork work = backend.Repeat(() =>
        {
            backend.ConvolutionForward(filter, x, y, new ForwardEpilogue(shift, null, Activation.Relu));
            backend.ConvolutionForward(filter, x, y, new ForwardEpilogue(shift, residual, Activation.Relu));
            backend.ConvolutionForward(filter, x, y, new ForwardEpilogue(shift, null, Activation.None));
            backend.ConvolutionForward(filter, x, y, new ForwardEpilogue(null, residual, Activation.None));
            backend.ConvolutionForward(filter, x, sum, new ForwardEpilogue(null, sum, Activation.None));
            backend.ConvolutionBackwardInput(filter, sum, gradient, new GradientEpilogue(gradient, null));
        });
        for (int run = 0; run < 4; run++)
            work.Run();
        backend.Synchronize();

        ConvolutionPlan forward = backend.Algorithms.Find(ConvolutionDirection.Forward, shape, Batch);
        ConvolutionPlan backward = backend.Algorithms.Find(ConvolutionDirection.BackwardData, shape, Batch);
        TestContext.Out.WriteLine($"{shape}: algorithm {forward.Algorithm} forward, {backward.Algorithm} backward");
        Assert.Multiple(() =>
        {
            Assert.That(backend.Context.RecordingFailure?.Message, Is.Null, "the graph");
            Assert.That(backend.Context.Recordings, Has.Count.EqualTo(1), "the graph");
            Assert.That(
                forward.Fuses, Is.All.True,
                $"epilogue without and with residual, with ReLU and without: {forward.Refusal?.Message}");
            Assert.That(forward.Accumulates, Is.True, $"forward sum: {forward.Refusal?.Message}");
            Assert.That(backward.Accumulates, Is.True, $"backward sum: {backward.Refusal?.Message}");
        });
    }

    private static float[] Values(int count) => new SeededValues($"{count} values").Normal(count, deviation: 0.1f);
}
