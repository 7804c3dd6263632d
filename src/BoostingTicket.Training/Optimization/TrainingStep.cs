using System.Diagnostics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Profiling;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Optimization;

/// <summary>One step of training at one batch size: images, attack, forward and backward pass, SGD. Allocates nothing once
/// made.</summary>
public sealed class TrainingStep : IDisposable
{
    private readonly Network _network;
    private readonly DeviceImages _images;
    private readonly SgdOptimizer _optimizer;
    private readonly Plan _plan;
    private readonly BatchBuffers _buffers;
    private readonly NetworkTarget? _target;
    private readonly ProjectedGradientDescent? _attack;
    private readonly ulong _attackKey;
    private readonly float[] _losses;
    private readonly float[] _correct;
    private IStepObserver? _observer;

    /// <summary>Compiles the plans of the step.</summary>
    /// <param name="network">The network.</param>
    /// <param name="images">Training images on its device.</param>
    /// <param name="optimizer">Steps its weights.</param>
    /// <param name="method">What it is trained on.</param>
    /// <param name="attack">The attack of adversarial training.</param>
    /// <param name="seed">Seed of random starts.</param>
    /// <param name="batch">Samples.</param>
    public TrainingStep(
        Network network, DeviceImages images, SgdOptimizer optimizer, TrainingMethod method, AttackSettings attack, ulong seed,
        int batch)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(attack);
        _network = network;
        _images = images;
        _optimizer = optimizer;
        _buffers = network.Buffers(batch);
        _plan = network.Plan(new PlanOptions(batch, PlanMode.Train, GradientRequest.Parameters));
        if (method != TrainingMethod.Natural)
        {
            _target = new NetworkTarget(network, batch, attack.Statistics);
            _attack = new ProjectedGradientDescent(
                _target,
                method == TrainingMethod.Fgsm
                    ? AttackBudget.Fgsm((float)attack.Epsilon, attack.Loss)
                    : AttackBudget.Pgd(attack));
        }
        _attackKey = Philox.Key(seed, RandomStream.TrainingAttack);
        _losses = new float[batch];
        _correct = new float[batch];
    }

    /// <summary>Told of every phase; null, the default, costs nothing. An observed step does not replay its attack as a whole.</summary>
    public IStepObserver? Observer
    {
        get => _observer;
        set
        {
            _observer = value;
            if (_target is not null)
                _target.Observer = value;
        }
    }

    /// <summary>Does the step and adds its losses, correct samples and seconds to the state.</summary>
    /// <param name="requests">The batch's samples.</param>
    /// <param name="learningRate">Rate of the step.</param>
    /// <param name="state">Where sums are kept; its epoch keys the random starts.</param>
    /// <exception cref="DivergedException">The loss is not a finite number; the weights were not stepped.</exception>
    public void Run(ReadOnlySpan<ImageRequest> requests, double learningRate, TrainingState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        IBackend backend = _network.Backend;
        long start = Stopwatch.GetTimestamp();
        _observer?.Enter(StepPhase.Data);
        _images.Load(requests, _buffers, _attack is null ? _buffers.Input : _buffers.Clean);
        backend.Synchronize();
        long loaded = Stopwatch.GetTimestamp();
        if (_attack is not null)
        {
            _attack.Run(_attackKey, state.Epoch);
            backend.Synchronize();
        }
        long attacked = Stopwatch.GetTimestamp();

        if (_observer is not null)
        {
            _observer.Enter(StepPhase.Filters);
            _plan.Prepare();
            _observer.Enter(StepPhase.TrainingForward);
        }
        _plan.Forward();
        _plan.Loss(LossKind.CrossEntropy, 1f / _buffers.Batch);
        backend.Download(_buffers.Losses.All, _losses);
        backend.Download(_buffers.Correct.All, _correct);
        double loss = 0;
        int correct = 0;
        for (int i = 0; i < _losses.Length; i++)
        {
            loss += _losses[i];
            correct += _correct[i] != 0 ? 1 : 0;
        }
        if (!double.IsFinite(loss))
            throw new DivergedException(
                $"Training diverged: the loss of epoch {state.Epoch + 1}, batch {state.Batch + 1} is {loss}; lower the "
                + "learning rate (--learning-rate, --donor-learning-rate) or raise the warm-up (--warmup-from, --warmup-length).");
        _observer?.Enter(StepPhase.TrainingBackward);
        _plan.Backward();
        _observer?.Enter(StepPhase.Update);
        _optimizer.Step(learningRate);
        backend.Synchronize();
        long trained = Stopwatch.GetTimestamp();

        state.LossSum += loss;
        state.CorrectCount += correct;
        state.SampleCount += _losses.Length;
        state.Times = new PhaseTimes(
            state.Times.Data + Seconds(start, loaded), state.Times.Attack + Seconds(loaded, attacked),
            state.Times.Train + Seconds(attacked, trained), state.Times.Evaluate);
    }

    /// <inheritdoc/>
    public void Dispose() => _attack?.Dispose();

    private static double Seconds(long from, long to) => Stopwatch.GetElapsedTime(from, to).TotalSeconds;
}
