using TorchSharp;
using static TorchSharp.torch;

namespace BoostingTicket.GoldenData.Attacks;

/// <summary>The network as attacks see it, in one precision.</summary>
internal sealed class Victim : IDisposable
{
    private readonly SmallNetwork _model = new();
    private readonly ScalarType _precision;

    /// <summary>Loads the weights of <paramref name="state"/>.</summary>
    public Victim(IReadOnlyDictionary<string, Tensor> state, ScalarType precision)
    {
        _precision = precision;
        _model.to(precision);
        _model.eval();
        GoldenInputs.Load(state, _model);
    }

    /// <summary><paramref name="tensor"/> in the precision that everything is computed in.</summary>
    public Tensor In(Tensor tensor) => tensor.to(_precision);

    /// <summary>Logits [batch, classes].</summary>
    public Tensor Logits(Tensor images)
    {
        using (no_grad())
            return _model.forward(In(images));
    }

    /// <summary>Logits, each sample's loss, and the gradient of the summed loss by the images.</summary>
    public (Tensor Logits, Tensor Losses, Tensor Gradient) Look(Tensor images, Func<Tensor, Tensor> loss)
    {
        Tensor input = images.detach().clone().requires_grad_();
        Tensor logits = _model.forward(input);
        Tensor losses = loss(logits);
        return (logits.detach(), losses.detach(), autograd.grad([losses.sum()], [input])[0]);
    }

    /// <inheritdoc/>
    public void Dispose() => _model.Dispose();
}
