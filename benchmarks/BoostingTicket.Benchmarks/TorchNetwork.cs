using BoostingTicket.Engine.Graph;
using BoostingTicket.TorchSharpSupport;
using BoostingTicket.Training.Models;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;
using Tensor = TorchSharp.torch.Tensor;

namespace BoostingTicket.Benchmarks;

/// <summary>A network of TorchSharp that computes in one of its variants: attacks need the gradient of the images alone, nothing
/// is left to the garbage collector. Weights and statistics are float32; what computes in bfloat16 is a second network that gets
/// a copy of them in each step.</summary>
internal sealed class TorchNetwork : IDisposable
{
    private readonly TorchVariant _variant;
    private readonly nn.Module<Tensor, Tensor> _module;
    private readonly nn.Module<Tensor, Tensor>? _short;
    private readonly List<(Tensor Master, Tensor Short)> _copied = [];
    private readonly List<(Tensor Master, Tensor Short)> _statistics = [];

    public TorchNetwork(Func<nn.Module<Tensor, Tensor>> create, TorchVariant variant)
    {
        _variant = variant;
        _module = create();
        Parameters = [.. _module.named_parameters().Select(entry => (entry.name, entry.parameter))];
        if (!variant.BFloat16)
            return;
        _short = create();
        _short.to(ScalarType.BFloat16);
        foreach (nn.Module normalization in _short.modules().Where(module => module is BatchNorm2d or BatchNorm1d))
            normalization.to(ScalarType.Float32);
        _copied.AddRange(Parameters.Zip(
            _short.named_parameters(), (master, copy) => ((Tensor)master.Value, (Tensor)copy.parameter)));
        _statistics.AddRange(_module.named_buffers().Zip(
            _short.named_buffers(), (master, copy) => (master.buffer, copy.buffer)));
    }

    /// <summary>Trained parameters by name, float32.</summary>
    public IReadOnlyList<(string Name, Parameter Value)> Parameters { get; }

    private nn.Module<Tensor, Tensor> Computing => _short ?? _module;

    /// <summary>Takes values.</summary>
    public void Load(ModelState state)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        foreach ((string name, Tensor value) in Values(state.Table))
            value.copy_(tensor(state[name].ToArray()).reshape(value.shape));
        foreach ((Tensor master, Tensor copy) in _statistics)
            copy.copy_(master);
    }

    /// <summary>Its values.</summary>
    public ModelState Read(ParameterTable table)
    {
        using var scope = NewDisposeScope();
        var state = new ModelState(table);
        foreach ((string name, Tensor value) in Values(table))
            value.data<float>().ToArray().CopyTo(state[name]);
        return state;
    }

    /// <summary>Images in the variant's layout.</summary>
    /// <param name="values">In [0, 1], NCHW.</param>
    /// <param name="shape">Samples, channels, rows, columns.</param>
    public Tensor Images(float[] values, params long[] shape)
    {
        using var scope = NewDisposeScope();
        Tensor images = tensor(values).reshape(shape);
        return (_variant.ChannelsLast ? images.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) : images)
            .DetachFromDisposeScope();
    }

    /// <summary>Evaluation form with the present weights, for all steps of an attack.</summary>
    public void BeginAttack()
    {
        CopyWeights();
        Computing.eval();
        if (!_variant.Folded || _module is not IFoldable masters || Computing is not IFoldable computing)
            return;
        foreach ((NormalizedConvolution master, NormalizedConvolution copy) in masters.Foldable.Zip(computing.Foldable))
            copy.Fold(master, _variant.BFloat16 ? ScalarType.BFloat16 : ScalarType.Float32);
    }

    /// <summary>Logits, and the gradient of the summed loss by the images, after <see cref="BeginAttack"/>.</summary>
    public (Tensor Logits, Tensor Gradient) InputGradient(Tensor images, Tensor labels)
    {
        Tensor x = images.detach().requires_grad_(true);
        Tensor logits = Forward(x);
        Tensor loss = nn.functional.cross_entropy(logits, labels, reduction: nn.Reduction.Sum);
        return (logits, autograd.grad([loss], [x])[0]);
    }

    /// <summary>Logits in training form, which moves the running statistics, and the gradients of the mean loss by all
    /// parameters, float32.</summary>
    public (Tensor Logits, IReadOnlyList<Tensor> Gradients) ParameterGradients(Tensor images, Tensor labels)
    {
        if (Computing is IFoldable computing)
        {
            foreach (NormalizedConvolution convolution in computing.Foldable)
                convolution.Unfold();
        }
        CopyWeights();
        Computing.train();
        Tensor logits = Forward(images);
        Tensor loss = nn.functional.cross_entropy(logits, labels);
        IEnumerable<Tensor> parameters = _short is null
            ? Parameters.Select(entry => entry.Value)
            : _copied.Select(pair => pair.Short);
        IReadOnlyList<Tensor> gradients = [.. autograd.grad([loss], [.. parameters])];
        if (_short is null)
            return (logits, gradients);
        using (no_grad())
        {
            foreach ((Tensor master, Tensor copy) in _statistics)
                master.copy_(copy);
            return (logits, [.. gradients.Select(gradient => gradient.to(ScalarType.Float32))]);
        }
    }

    public void Dispose()
    {
        foreach (NormalizedConvolution convolution in Computing is IFoldable computing ? computing.Foldable : [])
            convolution.Dispose();
        _short?.Dispose();
        _module.Dispose();
    }

    private Tensor Forward(Tensor images) => _short is null
        ? _module.forward(images)
        : _short.forward(images.to(ScalarType.BFloat16)).to(ScalarType.Float32);

    private void CopyWeights()
    {
        using var guard = no_grad();
        foreach ((Tensor master, Tensor copy) in _copied)
            copy.copy_(master);
    }

    private IEnumerable<(string Name, Tensor Value)> Values(ParameterTable table) =>
    [
        .. Parameters.Select(entry => (entry.Name, (Tensor)entry.Value)),
        .. _module.named_buffers().Where(entry => table.Find(entry.name) is not null).Select(entry => (entry.name, entry.buffer)),
    ];
}
