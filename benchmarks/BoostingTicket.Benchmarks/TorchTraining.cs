using BoostingTicket.Engine.Tensors;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace BoostingTicket.Benchmarks;

/// <summary>The work of the comparison in TorchSharp, as its users write it when they care for speed. A pruned network has dense
/// kernels and a mask multiplied onto the weights after each step.</summary>
internal sealed class TorchTraining : IDisposable
{
    private readonly TorchNetwork _network;
    private readonly Tensor _images;
    private readonly Tensor _labels;
    private readonly List<(Parameter Weight, Tensor Mask)> _masks = [];
    private readonly TorchSgd _optimizer;
    private Tensor _adversarial;

    public TorchTraining(Workload work, TorchVariant variant)
    {
        Work = work;
        Variant = variant;
        FeatureShape shape = work.Model.Shape;
        _network = new TorchNetwork(work.Model.CreateModule, variant);
        _network.Load(work.State);
        _images = _network.Images(work.Images, work.Model.Batch, shape.Channels, shape.Height, shape.Width);
        _labels = tensor(work.Labels.Select(label => (long)label).ToArray());
        _adversarial = _images.clone();
        _optimizer = new TorchSgd(_network, Workload.Momentum, Workload.WeightDecay);
        if (work.Mask is not { } mask)
            return;
        foreach ((string name, Parameter value) in _network.Parameters)
        {
            Engine.Graph.Parameter parameter = work.Graph.Table[name];
            if (parameter.Prunable)
                _masks.Add((value, tensor(Array.ConvertAll(mask[parameter].ToArray(), kept => (float)kept))
                    .reshape(value.shape)));
        }
    }

    public Workload Work { get; }

    public TorchVariant Variant { get; }

    /// <summary>Weights in the form that attacks compute with, random start.</summary>
    public void BeginAttack()
    {
        _network.BeginAttack();
        using var scope = NewDisposeScope();
        Replace(TorchAttack.Start(_images, Workload.Epsilon));
    }

    /// <summary>Evaluation form, for attacks.</summary>
    public void Evaluate() => _network.BeginAttack();

    /// <summary>Forward pass, gradient of the images, sign, projection, clamp; after <see cref="Evaluate"/>.</summary>
    public void AttackStep()
    {
        using var scope = NewDisposeScope();
        Replace(TorchAttack.Step(_network, _adversarial, _images, _labels, Workload.Epsilon, Workload.StepSize));
    }

    /// <summary>Forward and backward pass, SGD, mask.</summary>
    public void TrainingStep()
    {
        using var scope = NewDisposeScope();
        _optimizer.Step(_network.ParameterGradients(_adversarial, _labels).Gradients, Workload.LearningRate);
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
        for (int step = 0; step < Workload.AttackSteps; step++)
            AttackStep();
        TrainingStep();
    }

    /// <summary>Logits in evaluation form and gradient of the clean images.</summary>
    public (float[] Logits, float[] Gradient) Attacked()
    {
        using var scope = NewDisposeScope();
        Evaluate();
        (Tensor logits, Tensor gradient) = _network.InputGradient(_images, _labels);
        return (Values(logits), Values(gradient));
    }

    /// <summary>Logits in training form of the clean images and gradients of the trained parameters, in this engine's flat
    /// order.</summary>
    public (float[] Logits, float[] Gradients) Trained()
    {
        using var scope = NewDisposeScope();
        (Tensor logits, IReadOnlyList<Tensor> values) = _network.ParameterGradients(_images, _labels);
        float[] gradients = new float[Work.Graph.Table.TrainedLength];
        foreach ((int index, (string name, _)) in _network.Parameters.Index())
            Values(values[index]).CopyTo(gradients, Work.Graph.Table[name].Offset);
        float[] all = Values(logits);
        _network.Load(Work.State);
        return (all, gradients);
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _network.Dispose();
        _adversarial.Dispose();
        _images.Dispose();
        _labels.Dispose();
        foreach ((_, Tensor mask) in _masks)
            mask.Dispose();
    }

    private static float[] Values(Tensor values) => values.contiguous().data<float>().ToArray();

    private void Replace(Tensor adversarial)
    {
        _adversarial.Dispose();
        _adversarial = adversarial.DetachFromDisposeScope();
    }
}
