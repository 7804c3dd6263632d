using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BoostingTicket.GoldenData;

/// <summary>Records what a network computes from its golden inputs, in a chosen precision.</summary>
internal sealed class GoldenRecorder : IDisposable
{
    /// <summary>Training steps recorded.</summary>
    public const int Steps = 5;

    /// <summary>Momentum of those steps (not Nesterov's).</summary>
    public const double Momentum = 0.9;

    /// <summary>Weight decay of those steps, on every parameter.</summary>
    public const double WeightDecay = 2e-4;

    /// <summary>Margin κ of the C&amp;W loss.</summary>
    public const double Margin = 50;

    private static readonly int[] RecordedAttackSteps = [1, 2, 10];

    private static readonly IReadOnlyDictionary<string, Tensor> NoMasks = new Dictionary<string, Tensor>();

    private readonly GoldenCase _golden;
    private readonly GoldenInputs _inputs;
    private readonly nn.Module<Tensor, Tensor> _model;
    private readonly Tensor _images;

    private GoldenRecorder(GoldenCase golden, GoldenInputs inputs, ScalarType precision)
    {
        (_golden, _inputs) = (golden, inputs);
        _model = golden.Build();
        _model.to(precision);
        _images = inputs.Images.to(precision);
    }

    private Dictionary<string, Tensor> Results { get; } = [];

    /// <summary>Runs every computation in <paramref name="precision"/> and returns the results by name.</summary>
    public static Dictionary<string, Tensor> Record(GoldenCase golden, GoldenInputs inputs, ScalarType precision)
    {
        using var recorder = new GoldenRecorder(golden, inputs, precision);
        recorder.RecordEvaluation();
        recorder.RecordGradients();
        recorder.RecordSteps("sgd", masked: false);
        if (golden.Masked)
            recorder.RecordSteps("masked", masked: true);
        recorder.RecordAttacks();
        return recorder.Results;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _model.Dispose();
        _images.Dispose();
    }

    private void RecordEvaluation()
    {
        Restart(training: false);
        (string, Func<Tensor, Tensor>)[] losses = [("ce", CrossEntropy), ("cw", CarliniWagner)];
        foreach ((string name, Func<Tensor, Tensor> loss) in losses)
        {
            (Tensor logits, Tensor perSample, Tensor gradient) = InputGradient(_images, loss);
            Results["eval.logits"] = logits;
            Results[$"eval.loss.{name}"] = perSample;
            Results[$"eval.input_grad.{name}"] = gradient;
        }
    }

    private void RecordGradients()
    {
        Restart(training: true);
        using Tensor images = _images.clone().requires_grad_();
        Tensor logits = _model.forward(images);
        Tensor loss = CrossEntropy(logits).mean();
        loss.backward();
        Results["train.logits"] = logits.detach();
        Results["train.loss"] = loss.detach();
        Results["train.input_grad"] = images.grad!.clone();
        foreach ((string name, Parameter parameter) in _model.named_parameters())
            Results[$"train.grad.{name}"] = parameter.grad!.clone();
        foreach ((string name, Tensor value) in RunningStatistics())
            Results[$"train.after.{name}"] = value.clone();
    }

    private void RecordSteps(string prefix, bool masked)
    {
        Restart(training: true);
        IReadOnlyDictionary<string, Tensor> masks = masked ? _inputs.Masks : NoMasks;
        using (no_grad())
            foreach ((string name, Parameter parameter) in _model.named_parameters())
                if (masks.TryGetValue(name, out Tensor? mask))
                    parameter.mul_(mask);
        var definition = _model.named_parameters()
            .ToDictionary(p => p.name, p => (Weight: p.parameter.detach().clone(), Velocity: zeros_like(p.parameter)));
        using SGD optimizer = optim.SGD(_model.parameters(), _golden.LearningRate, Momentum, weight_decay: WeightDecay);
        var losses = new List<Tensor>();
        for (int step = 0; step < Steps; step++)
        {
            optimizer.zero_grad();
            Tensor loss = CrossEntropy(_model.forward(_images)).mean();
            loss.backward();
            losses.Add(loss.detach());
            using (no_grad())
                foreach ((string name, Parameter parameter) in _model.named_parameters())
                {
                    if (masks.TryGetValue(name, out Tensor? mask))
                        parameter.grad!.mul_(mask);
                    (Tensor weight, Tensor velocity) = definition[name];
                    velocity.mul_(Momentum).add_(parameter.grad! + WeightDecay * weight);
                    weight.sub_(_golden.LearningRate * velocity);
                }
            optimizer.step();
        }
        foreach ((string name, Parameter parameter) in _model.named_parameters())
            if (!allclose(parameter, definition[name].Weight, rtol: 1e-5, atol: 1e-6))
                throw new InvalidOperationException($"TorchSharp's SGD departs from the definition of momentum SGD at {name}.");

        Results[$"{prefix}.loss"] = stack(losses);
        foreach ((string name, Tensor value) in GoldenInputs.StateOf(_model))
            Results[$"{prefix}.after.{name}"] = value.detach().clone();
    }

    private void RecordAttacks()
    {
        Restart(training: false);
        Results["attack.fgsm"] = AttackStep(_images, _golden.Epsilon);
        Results["attack.fgsm.logits"] = Logits(Results["attack.fgsm"]);
        Tensor adversarial = _inputs.Start.to(_images.dtype);
        for (int step = 1; step <= RecordedAttackSteps[^1]; step++)
        {
            adversarial = AttackStep(adversarial, _golden.StepSize);
            if (RecordedAttackSteps.Contains(step))
                Results[$"attack.pgd.{step}"] = adversarial;
        }
        Results["attack.pgd.10.logits"] = Logits(adversarial);
    }

    private Tensor AttackStep(Tensor adversarial, double size)
    {
        Tensor moved = adversarial + size * InputGradient(adversarial, CrossEntropy).Gradient.sign();
        return maximum(minimum(moved, _images + _golden.Epsilon), _images - _golden.Epsilon).clamp(0, 1);
    }

    private Tensor Logits(Tensor images)
    {
        using (no_grad())
            return _model.forward(images);
    }

    /// <summary>Logits, loss per sample, and gradient of the summed loss with respect to the images.</summary>
    private (Tensor Logits, Tensor Losses, Tensor Gradient) InputGradient(Tensor images, Func<Tensor, Tensor> loss)
    {
        using Tensor input = images.detach().clone().requires_grad_();
        Tensor logits = _model.forward(input);
        Tensor losses = loss(logits);
        Tensor gradient = autograd.grad([losses.sum()], [input])[0];
        return (logits.detach(), losses.detach(), gradient);
    }

    private Tensor CrossEntropy(Tensor logits) =>
        nn.functional.cross_entropy(logits, _inputs.Labels, reduction: nn.Reduction.None);

    /// <summary>−relu(z_y − max_{j≠y} z_j + κ): what an attack maximises.</summary>
    private Tensor CarliniWagner(Tensor logits)
    {
        Tensor labels = _inputs.Labels.unsqueeze(1);
        Tensor others = logits.scatter(1, labels, full_like(logits, double.NegativeInfinity));
        return -nn.functional.relu(logits.gather(1, labels).squeeze(1) - others.amax([1]) + Margin);
    }

    private void Restart(bool training)
    {
        GoldenInputs.Load(_inputs.State, _model);
        _model.zero_grad();
        _model.train(training);
    }

    private IEnumerable<(string Name, Tensor Value)> RunningStatistics() =>
        GoldenInputs.StateOf(_model).Where(s => !s.Value.requires_grad);
}
