using System.Diagnostics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Optimization.Methods;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Optimization;

/// <summary>One step of training at one batch size: images, what the method makes of them, SGD. Allocates nothing once made.</summary>
public sealed class TrainingStep : IDisposable
{
    private readonly Network _network;
    private readonly DeviceImages _images;
    private readonly SgdOptimizer _optimizer;
    private readonly BatchBuffers _buffers;
    private readonly MethodStep _method;
    private readonly float[] _losses;
    private readonly float[] _correct;

    /// <summary>Compiles the plans of the step.</summary>
    /// <param name="network">The network.</param>
    /// <param name="images">Training images on its device.</param>
    /// <param name="optimizer">Steps its weights.</param>
    /// <param name="settings">How it is trained.</param>
    /// <param name="attack">The attack of adversarial training.</param>
    /// <param name="seed">Seed of random starts.</param>
    /// <param name="batch">Samples.</param>
    public TrainingStep(
        Network network, DeviceImages images, SgdOptimizer optimizer, TrainingSettings settings, AttackSettings attack, ulong seed,
        int batch)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(settings);
        _network = network;
        _images = images;
        _optimizer = optimizer;
        _buffers = network.Buffers(batch);
        _method = TrainingMethodCatalog.Find(settings.Method).Create(new MethodContext(
            network, optimizer, settings, attack, Philox.Key(seed, RandomStream.TrainingAttack), batch));
        _losses = new float[batch];
        _correct = new float[batch];
    }

    /// <summary>Told of every phase; null, the default, costs nothing. An observed step does not replay its attack as a whole.</summary>
    public IStepObserver? Observer
    {
        get => _method.Observer;
        set => _method.Observer = value;
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
        Observer?.Enter(StepPhase.Data);
        _images.Load(requests, _buffers, _method.Destination);
        backend.Synchronize();
        long loaded = Stopwatch.GetTimestamp();
        _method.Attack(state.Epoch);
        backend.Synchronize();
        long attacked = Stopwatch.GetTimestamp();

        _method.Train();
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
                $"Training diverged: the loss of epoch {state.Epoch + 1}, step {state.Batch + 1} is {loss}; {DivergenceRemedy}.");
        Observer?.Enter(StepPhase.Update);
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

    /// <summary>What to do about a training that diverged, naming settings from <see cref="TrainingSettings"/> on.</summary>
    internal static string DivergenceRemedy =>
        $"lower the learning rate ({Setting.Named("learningRate")}) or warm up longer or from a lower rate "
        + $"({Setting.Named("warmupLength")}, {Setting.Named("warmupFrom")})";

    /// <summary>Keeps what outlives the step for a checkpoint.</summary>
    public void Keep(TrainingState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        foreach ((string name, Tensor tensor) in _method.Kept)
        {
            float[] values = new float[tensor.Length];
            _network.Backend.Download(tensor, values);
            state.KeptValues[name] = values;
        }
    }

    /// <summary>Restores what a checkpoint kept.</summary>
    /// <exception cref="DamagedFileException">The checkpoint lacks it.</exception>
    public void Restore(TrainingState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        foreach ((string name, Tensor tensor) in _method.Kept)
            _network.Backend.Upload(state.Kept(name, checked((int)tensor.Length)), tensor);
    }

    /// <inheritdoc/>
    public void Dispose() => _method.Dispose();

    private static double Seconds(long from, long to) => Stopwatch.GetElapsedTime(from, to).TotalSeconds;
}
