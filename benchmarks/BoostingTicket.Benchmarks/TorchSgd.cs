using TorchSharp.Modules;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace BoostingTicket.Benchmarks;

/// <summary>SGD with momentum and weight decay of all parameters, by the operations of TorchSharp's own, with momenta that can be
/// saved beside the weights.</summary>
internal sealed class TorchSgd : IDisposable
{
    private readonly TorchNetwork _network;
    private readonly double _momentum;
    private readonly double _weightDecay;

    public TorchSgd(TorchNetwork network, double momentum, double weightDecay)
    {
        (_network, _momentum, _weightDecay) = (network, momentum, weightDecay);
        Momenta = [.. network.Parameters.Select(entry => zeros_like(entry.Value))];
    }

    /// <summary>In the order of the network's parameters.</summary>
    public IReadOnlyList<Tensor> Momenta { get; }

    /// <summary>One step.</summary>
    /// <param name="gradients">In the order of the network's parameters; changed.</param>
    /// <param name="learningRate">The rate.</param>
    public void Step(IReadOnlyList<Tensor> gradients, double learningRate)
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        foreach ((int index, (_, Parameter value)) in _network.Parameters.Index())
        {
            Momenta[index].mul_(_momentum).add_(gradients[index].add_(value, alpha: _weightDecay));
            value.add_(Momenta[index], alpha: -learningRate);
        }
    }

    public void Dispose()
    {
        foreach (Tensor momentum in Momenta)
            momentum.Dispose();
    }
}
