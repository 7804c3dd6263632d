using System.Runtime.InteropServices;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Ranks;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Optimization.Replicas;
using BoostingTicket.Training.Ranks;

namespace BoostingTicket.Training.Workers;

/// <summary>A process that is not rank 0: does what rank 0 calls for, until it is told to end. It reads and writes no file and
/// prints nothing.</summary>
/// <param name="team">The processes.</param>
/// <param name="open">Opens the device that rank 0 asks for, and what carries its values; null for the memory of the
/// host.</param>
internal sealed class RankWorker(RankTeam team, Func<byte[], (IBackend Backend, IDeviceLine? Line)> open)
{
    private readonly Dictionary<int, TrainingStep> _steps = [];
    private readonly Dictionary<int, Evaluator> _evaluations = [];
    private readonly Dictionary<int, (IAttack Attack, SampleBatches Batches)> _attacks = [];
    private readonly TrainingState _state = new();
    private IBackend? _backend;

    private IBackend Backend => _backend ?? throw new InvalidOperationException("No device was opened.");

    /// <summary>Works.</summary>
    /// <returns>The exit code that rank 0 gives.</returns>
    public int Run()
    {
        try
        {
            while (true)
            {
                (int work, byte[] payload) = team.Next();
                if (work == RankTeam.End)
                    return BitConverter.ToInt32(payload);
                Do((RankWork)work, payload);
            }
        }
        finally
        {
            Close();
        }
    }

    private void Do(RankWork work, byte[] payload)
    {
        switch (work)
        {
            case RankWork.Device:
                Close();
                team.Brought.Clear();
                (_backend, IDeviceLine? line) = open(payload);
                team.Use(_backend, line);
                team.Group.Barrier();
                break;
            case RankWork.Images:
                TeamImages.Take(team, payload, Backend);
                break;
            case RankWork.Network:
                DropWork();
                TeamNetwork.Make(team, payload, Backend);
                break;
            case RankWork.State:
                TeamNetwork.Take(team, payload);
                break;
            case RankWork.Hash:
                TeamNetwork.Answer(team);
                break;
            case RankWork.Load:
                TeamLoad.Answer(team);
                break;
            case RankWork.CreateStep:
                CreateStep(RankJson.Read<TeamStepOrder>(payload));
                break;
            case RankWork.Step:
                Step(payload);
                break;
            case RankWork.DropStep:
                if (_steps.Remove(RankJson.Read<int>(payload), out TrainingStep? dropped))
                    dropped.Dispose();
                break;
            case RankWork.Keep:
                Keep(RankJson.Read<int>(payload));
                break;
            case RankWork.Restore:
                Restore(payload);
                break;
            case RankWork.CreateEvaluation:
                CreateEvaluation(RankJson.Read<EvaluationOrder>(payload));
                break;
            case RankWork.Evaluate:
                Evaluate(RankJson.Read<EvaluationCall>(payload));
                break;
            case RankWork.DropEvaluation:
                if (_evaluations.Remove(RankJson.Read<int>(payload), out Evaluator? evaluator))
                    evaluator.Dispose();
                break;
            case RankWork.CreateAttack:
                CreateAttack(RankJson.Read<AttackOrder>(payload));
                break;
            case RankWork.Attack:
                AttackCall call = RankJson.Read<AttackCall>(payload);
                SharedAttack.Answer(
                    team, _attacks[call.Id].Attack, _attacks[call.Id].Batches, call.Round, call.Samples[team.Group.Rank]);
                break;
            case RankWork.DropAttack:
                if (_attacks.Remove(RankJson.Read<int>(payload), out (IAttack Attack, SampleBatches) attack))
                    attack.Attack.Dispose();
                break;
            default:
                throw new InvalidOperationException($"Nobody knows the work {work}.");
        }
    }

    private void CreateStep(TeamStepOrder order)
    {
        Network network = TeamNetwork.Find(team);
        _steps.Add(order.Id, new TrainingStep(
            network, TeamImages.Find(team, order.Images), new SgdOptimizer(network, order.Settings), order.Settings, order.Attack,
            order.Seed, order.Batch));
    }

    private void Step(byte[] payload)
    {
        StepHead head = MemoryMarshal.Read<StepHead>(payload);
        _state.Epoch = head.Epoch;
        TrainingStep step = _steps[head.Id];
        step.Run(MemoryMarshal.Cast<byte, ImageRequest>(payload.AsSpan(StepHead.Bytes)), head.LearningRate, _state);
        step.Finish(_state);
    }

    private void Keep(int id)
    {
        var kept = new TrainingState();
        _steps[id].Keep(kept);
        team.GatherBytes(KeptValues.Write([.. kept.KeptValues.Select(values => (values.Key, values.Value))]));
    }

    private void Restore(byte[] payload)
    {
        var kept = new TrainingState();
        foreach ((string name, float[] values) in KeptValues.Read(payload[sizeof(int)..]))
            kept.KeptValues[name] = values;
        _steps[BitConverter.ToInt32(payload)].Restore(kept);
    }

    private void CreateEvaluation(EvaluationOrder order)
    {
        // Which samples it is asked about comes with each call.
        _evaluations[order.Id] = new Evaluator(
            TeamNetwork.Find(team), TeamImages.Find(team, order.Images), new int[order.Batch], order.Batch, attacks: false);
    }

    private void Evaluate(EvaluationCall call)
    {
        Evaluator evaluator = _evaluations[call.Id];
        int[] samples = call.Samples[team.Group.Rank];
        team.Gather<float>(evaluator.ValuesHere(samples, call.Budget, call.Stream), []);
    }

    private void CreateAttack(AttackOrder order)
    {
        var model = new NetworkModel(TeamNetwork.Find(team), order.Batch);
        AttackEntry entry = AttackCatalog.All.First(entry => entry.Name == order.Name);
        _attacks[order.Id] = (
            entry.Create(new AttackContext(model, order.Settings, order.Stream)),
            new SampleBatches(model, TeamImages.Find(team, order.Images), []));
    }

    private void DropWork()
    {
        foreach (Evaluator evaluator in _evaluations.Values)
            evaluator.Dispose();
        foreach ((IAttack attack, _) in _attacks.Values)
            attack.Dispose();
        _evaluations.Clear();
        _attacks.Clear();
        foreach (TrainingStep step in _steps.Values)
            step.Dispose();
        _steps.Clear();
    }

    private void Close()
    {
        DropWork();
        TeamNetwork.Drop(team);
        TeamImages.Drop(team);
        _backend?.Dispose();
        _backend = null;
    }
}
