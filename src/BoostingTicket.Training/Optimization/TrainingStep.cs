using System.Globalization;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Ranks;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Optimization.Methods;
using BoostingTicket.Training.Optimization.Replicas;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Optimization;

/// <summary>One step of training at one batch size: images, what the method makes of them, SGD. Allocates nothing once made. A
/// device that works beside the host is not waited for: losses and times of a step are read when the next one has been called, or
/// by <see cref="Finish"/>. Where somebody observes, and on other devices, every step is read at its end.</summary>
internal sealed class TrainingStep : IDisposable
{
    // Marks of the time: the ends of the phases.
    private const int Begun = 0, Loaded = 1, Attacked = 2, Trained = 3, Marks = 4;

    // What is read.
    private const int Losses = 0, Correct = 1;

    private readonly Network _network;
    private readonly SgdOptimizer _optimizer;
    private readonly StepBatch _batch;
    private readonly TeamStep? _team;
    private readonly int _samples;
    private readonly Reading[] _readings = new Reading[2];
    private int _next;
    private Unread? _unread;

    /// <summary>Compiles the plans of the step.</summary>
    /// <param name="network">The network.</param>
    /// <param name="images">Training images on its device.</param>
    /// <param name="optimizer">Steps its weights.</param>
    /// <param name="settings">How it is trained.</param>
    /// <param name="attack">The attack of adversarial training.</param>
    /// <param name="seed">Seed of random starts.</param>
    /// <param name="batch">Samples.</param>
    public TrainingStep(
        Network network, DeviceImages images, SgdOptimizer optimizer, TrainingSettings settings, AttackSettings attack,
        ulong seed,
        int batch)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(settings);
        _network = network;
        _optimizer = optimizer;
        _samples = batch;
        var context = new MethodContext(
            network, optimizer, settings, attack, Philox.Key(seed, RandomStream.TrainingAttack), batch);
        if (RankTeam.Of(network.Backend) is { } team)
        {
            TeamStep.RequireEnough(team, settings);
            _team = team.Leads ? new TeamStep(team, network, images, settings, attack, seed, batch) : null;
        }
        _batch = settings.Replicas == 1
            ? new WholeBatch(
                images, network.Buffers(batch), TrainingMethodCatalog.Find(settings.Method).Create(context))
            : new ShardedBatch(context, images);
        for (int i = 0; i < _readings.Length; i++)
            _readings[i] = network.Backend.CreateReading([_batch.Losses, _batch.Correct], Marks);
    }

    /// <summary>Told of every phase; null, the default, costs nothing. An observed step does not replay its attack as a
    /// whole.</summary>
    public IStepObserver? Observer
    {
        get => _batch.Observer;
        set => _batch.Observer = value;
    }

    /// <summary>Bytes that this process sends to others in a step; 0 where it is alone.</summary>
    public long BytesSent => (_batch as ShardedBatch)?.BytesSent ?? 0;

    /// <summary>Does the step. Its losses, correct samples and seconds are added to the state at once or, on a device that works
    /// beside the host, after the next step.</summary>
    /// <param name="requests">The batch's samples.</param>
    /// <param name="learningRate">Rate of the step.</param>
    /// <param name="state">Where sums are kept; its epoch keys the random starts.</param>
    /// <exception cref="DivergedException">The loss is not a finite number; the weights were not stepped. Or that of the step
    /// before, which is named; then they were.</exception>
    public void Run(ReadOnlySpan<ImageRequest> requests, double learningRate, TrainingState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        Reading reading = _readings[_next];
        bool isLate = Observer is null && !reading.IsImmediate;
        if (!isLate)
            Finish(state);
        Observer?.Enter(StepPhase.Data);
        _team?.Begin(requests, learningRate, state);
        Pass(reading, Begun);
        _batch.Load(requests);
        Pass(reading, Loaded);
        _batch.Attack(state.Epoch);
        Pass(reading, Attacked);
        _batch.Train();
        reading.Take();
        var step = new Unread(reading, state.Epoch, state.Batch);
        state.SampleCount += _samples;
        if (!isLate)
            AddLosses(step, state);
        Observer?.Enter(StepPhase.Update);
        _optimizer.Step(learningRate);
        _team?.End();
        Pass(reading, Trained);
        if (!isLate)
        {
            AddTimes(step, state);
            return;
        }
        // The device has this step to do while the host waits for the one before.
        Finish(state);
        _unread = step;
        _next = 1 - _next;
    }

    /// <summary>Waits for the last step, where it was not read yet, and adds it to the state; before sums or times are looked
    /// at.</summary>
    /// <exception cref="DivergedException">Its loss is not a finite number.</exception>
    public void Finish(TrainingState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (_unread is not { } step)
            return;
        _unread = null;
        AddLosses(step, state);
        AddTimes(step, state);
    }

    /// <summary>What to do about a training that diverged, naming settings from <see cref="TrainingSettings"/> on.</summary>
    internal static string DivergenceRemedy =>
        $"lower the learning rate ({Setting.Named("learningRate")}) or warm up longer or from a lower rate "
        + $"({Setting.Named("warmupLength")}, {Setting.Named("warmupFrom")})";

    /// <summary>Keeps what outlives the step for a checkpoint.</summary>
    public void Keep(TrainingState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        foreach ((string name, Tensor tensor) in _batch.Kept)
        {
            float[] values = new float[tensor.Length];
            _network.Backend.Download(tensor, values);
            state.KeptValues[name] = values;
        }
        _team?.Keep(state);
    }

    /// <summary>Restores what a checkpoint kept.</summary>
    /// <exception cref="DamagedFileException">The checkpoint lacks it.</exception>
    public void Restore(TrainingState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        foreach ((string name, Tensor tensor) in _batch.Kept)
            _network.Backend.Upload(state.Kept(name, checked((int)tensor.Length)), tensor);
        _team?.Restore(state);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _team?.Dispose();
        _batch.Dispose();
        foreach (Reading reading in _readings)
            reading.Dispose();
    }

    private static void AddLosses(in Unread step, TrainingState state)
    {
        step.Reading.Wait();
        double loss = 0;
        int correct = 0;
        foreach (float one in step.Reading.Values(Losses))
            loss += one;
        foreach (float one in step.Reading.Values(Correct))
            correct += one != 0 ? 1 : 0;
        if (!double.IsFinite(loss))
            throw new DivergedException(string.Create(
                CultureInfo.InvariantCulture,
                $"Training diverged: the loss of epoch {step.Epoch + 1}, step {step.Batch + 1} is {loss}; {DivergenceRemedy}."));
        state.LossSum += loss;
        state.CorrectCount += correct;
    }

    private static void AddTimes(in Unread step, TrainingState state)
    {
        step.Reading.Wait();
        state.Times = new PhaseTimes(
            state.Times.Data + step.Reading.Seconds(Begun, Loaded), state.Times.Attack + step.Reading.Seconds(Loaded, Attacked),
            state.Times.Train + step.Reading.Seconds(Attacked, Trained), state.Times.Evaluate);
    }

    // Whoever observes wants a phase to be over when the next one begins.
    private void Pass(Reading reading, int mark)
    {
        reading.Mark(mark);
        if (Observer is not null)
            _network.Backend.Synchronize();
    }

    /// <summary>A step whose results were not read yet.</summary>
    private readonly record struct Unread(Reading Reading, int Epoch, int Batch);
}
