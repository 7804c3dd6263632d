using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing;

namespace BoostingTicket.Engine.Tests.Cuda;

/// <summary>What the backend can do without, at the price of time, and what therefore nobody would miss on a GPU with another
/// driver or cuDNN: graphs, convolutions with epilogue, passes that add to what is there.</summary>
[TestFixture(CudaDevices.Software, Precision.BFloat16)]
[TestFixture(CudaDevices.Software, Precision.TensorFloat32)]
[TestFixture(CudaDevices.Software, Precision.Float32)]
[TestFixture(CudaDevices.Gpu, Precision.BFloat16)]
[TestFixture(CudaDevices.Gpu, Precision.TensorFloat32)]
[TestFixture(CudaDevices.Gpu, Precision.Float32)]
internal sealed class CudaLibraryUseTests(string device, Precision precision)
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
        Tensor y = workspace.Tensor(Batch, shape.Output),
        residual = workspace.Tensor(Batch, shape.Output, Values(Batch * shape.Output.Length));
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
        // A GPU's cuDNN may refuse any of it, and then the backend is slower and not wrong; the software device does all of it.
        (string What, bool Done, string? Refusal)[] uses =
        [
            ("the graph", backend.Context is { RecordingFailure: null, Recordings.Count: 1 },
                backend.Context.RecordingFailure?.Message),
            ("ReLU without residual", forward.Fuses[0] == true, forward.Refusal?.Message),
            ("ReLU with residual", forward.Fuses[1] == true, forward.Refusal?.Message),
            ("no activation without residual", forward.Fuses[2] == true, forward.Refusal?.Message),
            ("no activation with residual", forward.Fuses[3] == true, forward.Refusal?.Message),
            ("the forward sum", forward.Accumulates[0] == true, forward.Refusal?.Message),
            ("the backward sum", backward.Accumulates[0] == true, backward.Refusal?.Message),
        ];
        string[] slower = [.. uses.Where(use => !use.Done).Select(
            use => $"{use.What} is done in another way, slower: {use.Refusal}")];
        foreach (string line in slower.Concat(backend.Choices.Findings))
            TestContext.Out.WriteLine(line);
        if (device == CudaDevices.Software)
            Assert.That(slower, Is.Empty);
        else if (slower.Length > 0)
            Assert.Warn(string.Join(Environment.NewLine, slower));
    }

    private static float[] Values(int count) => new SeededValues($"{count} values").Normal(count, deviation: 0.1f);
}
