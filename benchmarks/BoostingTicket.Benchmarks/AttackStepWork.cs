using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Attacks;
using static TorchSharp.torch;

namespace BoostingTicket.Benchmarks;

/// <summary>One PGD step: forward pass in evaluation form, gradient of the images alone, sign, projection, clamp.</summary>
internal sealed class AttackStepWork : PairedWork
{
    private const float Epsilon = 8f / 255;
    private const float StepSize = 2f / 255;

    private readonly NetworkPair _pair;
    private readonly NetworkTarget _target;
    private Tensor _adversarial;

    public AttackStepWork(NetworkPair pair)
    {
        _pair = pair;
        _target = new NetworkTarget(pair.Network, pair.Batch, AttackStatistics.Running);
        pair.Backend.Copy(pair.Buffers.Clean, pair.Buffers.Input);
        _adversarial = pair.Images.clone();
    }

    public override string Name => $"attack step, {_pair.Network.Graph.Name}";

    public override double Arithmetic => 4.0 * _pair.Network.Graph.MultiplyAdds * _pair.Batch;

    public override void Ours()
    {
        _target.Gradients(LossKind.CrossEntropy);
        _pair.Backend.AttackStep(
            _pair.Buffers.Clean, _pair.Buffers.InputGradient, Epsilon, StepSize, _pair.Buffers.Input);
    }

    public override void Theirs()
    {
        _pair.Module.eval();
        Tensor stepped = Step(_pair, _adversarial, out Tensor gradient);
        gradient.Dispose();
        _adversarial.Dispose();
        _adversarial = stepped;
    }

    /// <summary>TorchSharp's step; the module's mode is the caller's.</summary>
    public static Tensor Step(NetworkPair pair, Tensor adversarial, out Tensor gradient)
    {
        using var scope = NewDisposeScope();
        Tensor x = adversarial.detach().requires_grad_(true);
        Tensor loss = nn.functional.cross_entropy(pair.Module.forward(x), pair.Labels, reduction: nn.Reduction.Sum);
        gradient = autograd.grad([loss], [x])[0].MoveToOuterDisposeScope();
        using (no_grad())
        {
            Tensor stepped = x + StepSize * gradient.sign();
            stepped = maximum(minimum(stepped, pair.Images + Epsilon), pair.Images - Epsilon).clamp(0, 1);
            return stepped.MoveToOuterDisposeScope();
        }
    }

    public override double Disagreement()
    {
        _pair.Backend.Copy(_pair.Buffers.Clean, _pair.Buffers.Input);
        _target.Gradients(LossKind.CrossEntropy);
        float[] ours = new float[_pair.Batch * _pair.Shape.Length];
        _pair.Backend.Download(_pair.Buffers.InputGradient, ours);
        _pair.Module.eval();
        Step(_pair, _pair.Images, out Tensor gradient).Dispose();
        using (gradient)
            return NetworkPair.Disagreement(ours, gradient.data<float>().ToArray());
    }

    public override void Dispose() => _adversarial.Dispose();
}
