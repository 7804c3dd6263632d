using System.Diagnostics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Profiling;

/// <summary>Calls and time of one thing.</summary>
internal struct Tally
{
    /// <summary>How often.</summary>
    public long Calls;

    /// <summary>Ticks of <see cref="Stopwatch"/>.</summary>
    public long Ticks;

    /// <summary>Seconds.</summary>
    public readonly double Seconds => (double)Ticks / Stopwatch.Frequency;

    /// <summary>Adds one call.</summary>
    public void Add(long ticks)
    {
        Calls++;
        Ticks += ticks;
    }
}

/// <summary>Takes the times of phases and, where a plan is told to report to it, of operations. Waits for the device at every
/// boundary, so that what was called is done when it is counted.</summary>
/// <param name="backend">The device.</param>
internal sealed class StepRecorder(IBackend backend) : IStepObserver, IPlanObserver
{
    private readonly Tally[] _phases = new Tally[Enum.GetValues<StepPhase>().Length];
    private readonly Dictionary<(StepPhase Phase, PlanOperation Operation), Tally> _operations = [];
    private StepPhase? _phase;
    private long _phaseStart;
    private long _operationStart;

    /// <summary>Receives phases and operations as they end; null for none.</summary>
    public ProfileTrace? Trace { get; set; }

    /// <summary>Operations by the phase in which they ran.</summary>
    public IReadOnlyDictionary<(StepPhase Phase, PlanOperation Operation), Tally> Operations => _operations;

    /// <summary>Calls and time of a phase.</summary>
    public Tally this[StepPhase phase] => _phases[(int)phase];

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        Array.Clear(_phases);
        _operations.Clear();
    }

    /// <inheritdoc/>
    public void Enter(StepPhase phase)
    {
        long now = Now();
        EndPhase(now);
        _phase = phase;
        _phaseStart = now;
    }

    /// <summary>Ends the phase that is open.</summary>
    public void Leave()
    {
        EndPhase(Now());
        _phase = null;
    }

    /// <inheritdoc/>
    public void Starting(PlanOperation operation) => _operationStart = Now();

    /// <inheritdoc/>
    public void Finished(PlanOperation operation)
    {
        long now = Now();
        (StepPhase, PlanOperation) key = (_phase ?? StepPhase.Evaluation, operation);
        _operations.TryGetValue(key, out Tally tally);
        tally.Add(now - _operationStart);
        _operations[key] = tally;
        Trace?.Add(operation, _operationStart, now);
    }

    private long Now()
    {
        backend.Synchronize();
        return Stopwatch.GetTimestamp();
    }

    private void EndPhase(long now)
    {
        if (_phase is not { } phase)
            return;
        _phases[(int)phase].Add(now - _phaseStart);
        Trace?.Add(phase, _phaseStart, now);
    }
}
