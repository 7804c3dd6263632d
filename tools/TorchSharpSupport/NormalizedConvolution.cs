using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BoostingTicket.TorchSharpSupport;

/// <summary>A network with convolutions that are normalised.</summary>
internal interface IFoldable
{
    /// <summary>Convolutions with the normalisation behind each of them.</summary>
    IEnumerable<NormalizedConvolution> Foldable { get; }
}

/// <summary>A convolution without bias and the normalisation of its output. Where that reads running statistics, both are one
/// convolution with other weights and a bias, as long as neither changes.</summary>
/// <param name="convolution">The convolution.</param>
/// <param name="normalization">The normalisation.</param>
/// <param name="stride">The convolution's stride.</param>
/// <param name="padding">The convolution's zero padding.</param>
internal sealed class NormalizedConvolution(
    Conv2d convolution, BatchNorm2d normalization, int stride = 1, int padding = 1) : IDisposable
{
    private readonly long[] _strides = [stride, stride], _padding = [padding, padding];
    private Tensor? _weight;
    private Tensor? _bias;

    /// <summary>Both, one after the other or as one.</summary>
    public Tensor Forward(Tensor input) => _weight is null
        ? normalization.forward(convolution.forward(input))
        : nn.functional.conv2d(input, _weight, _bias, _strides, _padding);

    /// <summary>Makes both one, until <see cref="Unfold"/>.</summary>
    /// <param name="values">Whose weights and statistics are taken: those of a network of the same shape.</param>
    /// <param name="type">Number format to compute in.</param>
    public void Fold(NormalizedConvolution values, ScalarType type)
    {
        Unfold();
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        (Conv2d from, BatchNorm2d by) = values.Parts;
        Tensor factor = by.weight! / (by.running_var! + Epsilon).sqrt();
        _weight = (from.weight! * factor.reshape(-1, 1, 1, 1)).to(type).DetachFromDisposeScope();
        _bias = (by.bias! - by.running_mean! * factor).to(type).DetachFromDisposeScope();
    }

    /// <summary>Makes both two again.</summary>
    public void Unfold()
    {
        _weight?.Dispose();
        _bias?.Dispose();
        (_weight, _bias) = (null, null);
    }

    /// <inheritdoc/>
    public void Dispose() => Unfold();

    // TorchSharp's and PyTorch's default.
    private const double Epsilon = 1e-5;

    private (Conv2d Convolution, BatchNorm2d Normalization) Parts => (convolution, normalization);
}
