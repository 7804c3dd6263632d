using static TorchSharp.torch;

namespace BoostingTicket.TorchSharpSupport;

/// <summary>First layer of every network: (x − mean) / std by channel, for images in [0, 1].</summary>
internal sealed class InputNormalization : nn.Module<Tensor, Tensor>
{
    private readonly Tensor _mean;
    private readonly Tensor _deviation;

    /// <summary>Creates the layer from one mean and one standard deviation per channel, in pixel units.</summary>
    public InputNormalization(double[] mean, double[] deviation)
        : base(nameof(InputNormalization))
    {
        // Not registered as buffers: the weights that people exchange do not contain them.
        _mean = tensor(mean, float64).reshape(1, -1, 1, 1).DetachFromDisposeScope();
        _deviation = tensor(deviation, float64).reshape(1, -1, 1, 1).DetachFromDisposeScope();
    }

    /// <summary>Mean and standard deviation of the CIFAR-10 training images.</summary>
    public static InputNormalization Cifar10() => new([0.4914, 0.4822, 0.4465], [0.2471, 0.2435, 0.2616]);

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => (input - _mean.to(input.dtype)) / _deviation.to(input.dtype);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _mean.Dispose();
            _deviation.Dispose();
        }
        base.Dispose(disposing);
    }
}
