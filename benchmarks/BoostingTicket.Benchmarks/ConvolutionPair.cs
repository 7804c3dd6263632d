using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing.Operations;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace BoostingTicket.Benchmarks;

/// <summary>One convolution or linear layer in both engines: forward, input gradient, filter gradient.</summary>
internal sealed class ConvolutionPair : IDisposable
{
    private const double Tolerance = 1e-6;

    private readonly IBackend _backend;
    private readonly ConvolutionShape _shape;
    private readonly Filter _filter;
    private readonly Arena _arena;
    private readonly FloatBuffer _weight;
    private readonly FloatBuffer _weightGradient;
    private readonly Engine.Tensors.Tensor _x;
    private readonly Engine.Tensors.Tensor _y;
    private readonly Engine.Tensors.Tensor _dy;
    private readonly Engine.Tensors.Tensor _dx;
    private readonly Tensor _theirX;
    private readonly Tensor _theirWeight;
    private readonly Tensor _theirDy;
    private readonly Tensor _theirY;

    public ConvolutionPair(string name, IBackend backend)
    {
        Name = name;
        _backend = backend;
        _shape = LayerShapes.All[name];
        _filter = backend.CreateFilter(_shape, FilterUses.Forward | FilterUses.BackwardInput | FilterUses.BackwardFilter);
        _weight = backend.CreateFloats(_shape.WeightCount);
        _weightGradient = backend.CreateFloats(_shape.WeightCount);
        Engine.Tensors.Tensor[] tensors =
        [
            backend.DescribeTensor(Batch, _shape.Input), backend.DescribeTensor(Batch, _shape.Output),
            backend.DescribeTensor(Batch, _shape.Output), backend.DescribeTensor(Batch, _shape.Input),
        ];
        long bytes = 0;
        long[] offsets = [.. tensors.Select(tensor => (bytes += Aligned(tensor.Bytes)) - Aligned(tensor.Bytes))];
        _arena = backend.CreateArena(bytes);
        for (int i = 0; i < tensors.Length; i++)
            backend.Place(tensors[i], _arena, offsets[i]);
        (_x, _y, _dy, _dx) = (tensors[0], tensors[1], tensors[2], tensors[3]);

        float[] weight = Values(1, _shape.WeightCount), x = Values(2, (int)_x.Length), dy = Values(3, (int)_dy.Length);
        backend.Upload(weight, _weight.All);
        backend.Upload(x, _x);
        backend.Upload(dy, _dy);
        backend.PrepareFilter(_filter, new FilterSource(_weight.All, null, 0, null));
        _theirX = tensor(x).reshape(Batch, _shape.Input.Channels, _shape.Input.Height, _shape.Input.Width).requires_grad_(true);
        _theirWeight = tensor(weight).reshape(
            _shape.OutputChannels, _shape.Input.Channels, _shape.KernelHeight, _shape.KernelWidth)
            .requires_grad_(true);
        _theirDy = tensor(dy).reshape(Batch, _shape.Output.Channels, _shape.Output.Height, _shape.Output.Width);
        _theirY = Convolve();
    }

    public const int Batch = 128;

    public string Name { get; }

    /// <summary>Operations of each of the three.</summary>
    public double Operations => 2.0 * _shape.MultiplyAdds * Batch;

    public void OurForward() => _backend.ConvolutionForward(_filter, _x, _y, default);

    public void OurInputGradient() => _backend.ConvolutionBackwardInput(_filter, _dy, _dx, default);

    public void OurFilterGradient() => _backend.ConvolutionBackwardFilter(_filter, _x, _dy, _weightGradient.All);

    public void TheirForward()
    {
        using (no_grad())
            Convolve().Dispose();
    }

    public void TheirInputGradient() => TheirGradient(_theirX).Dispose();

    public void TheirFilterGradient() => TheirGradient(_theirWeight).Dispose();

    /// <summary>Compares all three.</summary>
    /// <returns>Largest normalised squared error.</returns>
    /// <exception cref="InvalidOperationException">The engines disagree.</exception>
    public double RequireAgreement()
    {
        OurForward();
        OurInputGradient();
        OurFilterGradient();
        using Tensor dx = TheirGradient(_theirX), dw = TheirGradient(_theirWeight);
        float[] weightGradient = new float[_shape.WeightCount];
        _backend.Download(_weightGradient.All, weightGradient);
        double error = new[]
        {
            Agreement.Error(Values(_y), _theirY.data<float>().ToArray()),
            Agreement.Error(Values(_dx), dx.data<float>().ToArray()),
            Agreement.Error(weightGradient, dw.data<float>().ToArray()),
        }.Max();
        return error < Tolerance
            ? error
            : throw new InvalidOperationException($"{Name}: the engines disagree by {error:E1}; not timed.");
    }

    /// <summary>The three in both engines, as they are timed.</summary>
    public IReadOnlyList<(string Work, TimedWork Ours, TimedWork Theirs)> Works() =>
    [
        ("convolution forward", new TimedWork(Name, OurForward), new TimedWork(Name, TheirForward)),
        ("convolution input gradient", new TimedWork(Name, OurInputGradient), new TimedWork(Name, TheirInputGradient)),
        ("convolution filter gradient", new TimedWork(Name, OurFilterGradient), new TimedWork(Name, TheirFilterGradient)),
    ];

    public void Dispose()
    {
        _filter.Dispose();
        _arena.Dispose();
        _weight.Dispose();
        _weightGradient.Dispose();
        foreach (Tensor theirs in new[] { _theirX, _theirWeight, _theirDy, _theirY })
            theirs.Dispose();
    }

    private Tensor Convolve() =>
        nn.functional.conv2d(
            _theirX, _theirWeight, strides: [_shape.Stride, _shape.Stride], padding: [_shape.Padding, _shape.Padding]);

    private Tensor TheirGradient(Tensor by) => autograd.grad([_theirY], [by], [_theirDy], retain_graph: true)[0];

    private long Aligned(long bytes) => (bytes + _backend.Alignment - 1) / _backend.Alignment * _backend.Alignment;

    private float[] Values(Engine.Tensors.Tensor tensor)
    {
        float[] values = new float[tensor.Length];
        _backend.Download(tensor, values);
        return values;
    }

    private static float[] Values(uint stream, int count)
    {
        float[] values = new float[count];
        for (int i = 0; i < count; i++)
            values[i] = Philox.Uniform(Philox.Words(stream, (uint)i, 0, 0, 0)[0]) - 0.5f;
        return values;
    }
}
