using BoostingTicket.Engine.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace BoostingTicket.Benchmarks;

/// <summary>The work of the comparison in TorchSharp, as its users write it when they care for speed: gradients of the images
/// alone in attacks, one switch of the mode for all steps, nothing left to the garbage collector. A pruned network has dense
/// kernels and a mask multiplied onto the weights after each step.</summary>
internal sealed class TorchTraining : IDisposable
{
    private readonly nn.Module<Tensor, Tensor> _module;
    private readonly Tensor _images;
    private readonly Tensor _labels;
    private readonly List<(Parameter Weight, Tensor Mask)> _masks = [];
    private readonly SGD _optimizer;
    private Tensor _adversarial;

    public TorchTraining(Workload work)
    {
        Work = work;
        FeatureShape shape = work.Model.Shape;
        _images = tensor(work.Images).reshape(work.Model.Batch, shape.Channels, shape.Height, shape.Width);
        _labels = tensor(work.Labels.Select(label => (long)label).ToArray());
        _adversarial = _images.clone();
        _module = work.Model.CreateModule();
        Load();
        _optimizer = optim.SGD(
            _module.parameters(), Workload.LearningRate, Workload.Momentum, weight_decay: Workload.WeightDecay);
    }

    public Workload Work { get; }

    /// <summary>Random start.</summary>
    public void BeginAttack()
    {
        using var scope = NewDisposeScope();
        using (no_grad())
            Replace((_images + empty_like(_images).uniform_(-Workload.Epsilon, Workload.Epsilon)).clamp_(0, 1));
    }

    /// <summary>Evaluation form, for attacks.</summary>
    public void Evaluate() => _module.eval();

    /// <summary>Forward pass, gradient of the images, sign, projection, clamp; after <see cref="Evaluate"/>.</summary>
    public void AttackStep()
    {
        using var scope = NewDisposeScope();
        (_, Tensor gradient) = InputGradient(_adversarial);
        using (no_grad())
        {
            Tensor stepped = _adversarial + Workload.StepSize * gradient.sign();
            Replace(maximum(minimum(stepped, _images + Workload.Epsilon), _images - Workload.Epsilon).clamp_(0, 1));
        }
    }

    /// <summary>Forward and backward pass, SGD, mask.</summary>
    public void TrainingStep()
    {
        _module.train();
        _optimizer.zero_grad();
        using (NewDisposeScope())
            nn.functional.cross_entropy(_module.forward(_adversarial), _labels).backward();
        _optimizer.step();
        using (no_grad())
        {
            foreach ((Parameter weight, Tensor mask) in _masks)
                weight.mul_(mask);
        }
    }

    /// <summary>All of a step of PGD training but the gathering of images.</summary>
    public void PgdTrainingStep()
    {
        BeginAttack();
        Evaluate();
        for (int step = 0; step < Workload.AttackSteps; step++)
            AttackStep();
        TrainingStep();
    }

    /// <summary>Logits in evaluation form and gradient of the clean images.</summary>
    public (float[] Logits, float[] Gradient) Attacked()
    {
        using var scope = NewDisposeScope();
        Evaluate();
        (Tensor logits, Tensor gradient) = InputGradient(_images);
        return (logits.data<float>().ToArray(), gradient.data<float>().ToArray());
    }

    /// <summary>Logits in training form of the clean images and gradients of the trained parameters, in this engine's flat
    /// order.</summary>
    public (float[] Logits, float[] Gradients) Trained()
    {
        using var scope = NewDisposeScope();
        _module.train();
        _optimizer.zero_grad();
        Tensor logits = _module.forward(_images);
        nn.functional.cross_entropy(logits, _labels).backward();
        float[] gradients = new float[Work.Graph.Table.TrainedLength];
        foreach ((string name, Parameter value) in _module.named_parameters())
            value.grad!.data<float>().ToArray().CopyTo(gradients, Work.Graph.Table[name].Offset);
        float[] values = logits.data<float>().ToArray();
        Load();
        return (values, gradients);
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _module.Dispose();
        _adversarial.Dispose();
        _images.Dispose();
        _labels.Dispose();
        foreach ((_, Tensor mask) in _masks)
            mask.Dispose();
    }

    private (Tensor Logits, Tensor Gradient) InputGradient(Tensor images)
    {
        Tensor x = images.detach().requires_grad_(true);
        Tensor logits = _module.forward(x);
        Tensor loss = nn.functional.cross_entropy(logits, _labels, reduction: nn.Reduction.Sum);
        return (logits, autograd.grad([loss], [x])[0]);
    }

    private void Replace(Tensor adversarial)
    {
        _adversarial.Dispose();
        _adversarial = adversarial.DetachFromDisposeScope();
    }

    private void Load()
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        bool masked = _masks.Count > 0;
        foreach ((string name, Parameter value) in _module.named_parameters())
        {
            Engine.Graph.Parameter parameter = Work.Graph.Table[name];
            value.copy_(tensor(Work.State[parameter].ToArray()).reshape(value.shape));
            if (!masked && Work.Mask is { } mask && parameter.Prunable)
                _masks.Add((value, tensor(Array.ConvertAll(mask[parameter].ToArray(), kept => (float)kept))
                    .reshape(value.shape).DetachFromDisposeScope()));
        }
        foreach ((string name, Tensor value) in _module.named_buffers())
        {
            if (Work.Graph.Table.Find(name) is { } parameter)
                value.copy_(tensor(Work.State[parameter].ToArray()).reshape(value.shape));
        }
    }
}
