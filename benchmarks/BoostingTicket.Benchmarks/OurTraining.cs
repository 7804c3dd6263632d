using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Benchmarks;

/// <summary>The work of the comparison in this engine.</summary>
internal sealed class OurTraining : IDisposable
{
    private readonly IBackend _backend;
    private readonly Network _network;
    private readonly BatchBuffers _buffers;
    private readonly NetworkTarget _target;
    private readonly ProjectedGradientDescent _attack;
    private readonly Plan _plan;
    private readonly SgdOptimizer _optimizer;

    public OurTraining(Workload work, IBackend backend)
    {
        Work = work;
        _backend = backend;
        _network = new Network(work.Graph, backend);
        TicketReset.Apply(_network.Parameters, backend, work.State, work.Mask);
        int batch = work.Model.Batch;
        _buffers = _network.Buffers(batch);
        _target = new NetworkTarget(_network, batch, AttackStatistics.Running);
        _attack = new ProjectedGradientDescent(_target, new AttackBudget(
            Workload.Epsilon, Workload.StepSize, Workload.AttackSteps, AttackStart.Random, 1, LossKind.CrossEntropy));
        _plan = _network.Plan(new PlanOptions(batch, PlanMode.Train, GradientRequest.Parameters));
        _optimizer = new SgdOptimizer(
            _network, new TrainingSettings { Momentum = Workload.Momentum, WeightDecay = Workload.WeightDecay });
        backend.Upload(work.Images, _buffers.Clean);
        backend.Upload(work.Images, _buffers.Input);
        backend.Upload(work.Labels, _buffers.Labels);
        backend.Upload([.. Enumerable.Range(0, batch)], _buffers.Samples);
    }

    public Workload Work { get; }

    /// <summary>Number format of attacks.</summary>
    public string Precision => _backend.Precision == Engine.Tensors.Precision.BFloat16 ? "bfloat16" : "float32";

    /// <summary>What precedes the steps of an attack: filters of the new weights, random start.</summary>
    public void BeginAttack()
    {
        _target.Prepare();
        _backend.RandomStart(_buffers.Clean, _buffers.Samples, Workload.Epsilon, new RandomStartKey(1, 0, 0), _buffers.Input);
    }

    /// <summary>Makes the next <see cref="BeginAttack"/> prepare filters, as after a step of training.</summary>
    public void ChangeWeights() => _network.Parameters.WeightsChanged();

    /// <summary>Brings the attack's filters up to date, so that <see cref="AttackStep"/> need not.</summary>
    public void Prepare() => _target.Prepare();

    /// <summary>Forward pass in evaluation form, gradient of the images, sign, projection, clamp.</summary>
    public void AttackStep()
    {
        _target.Gradients(LossKind.CrossEntropy);
        _backend.AttackStep(_buffers.Clean, _buffers.InputGradient, Workload.Epsilon, Workload.StepSize, _buffers.Input);
    }

    /// <summary>Filters, forward and backward pass, SGD with mask.</summary>
    public void TrainingStep()
    {
        Gradients();
        _optimizer.Step(Workload.LearningRate);
    }

    /// <summary>All of a step of PGD training but the gathering of images.</summary>
    public void PgdTrainingStep()
    {
        _attack.Run(stream: 1, epoch: 0);
        TrainingStep();
    }

    /// <summary>Logits in evaluation form and gradient of the clean images.</summary>
    public (float[] Logits, float[] Gradient) Attacked()
    {
        _backend.Copy(_buffers.Clean, _buffers.Input);
        Plan plan = _network.Plan(new PlanOptions(Work.Model.Batch, PlanMode.Attack, GradientRequest.Input));
        plan.Forward();
        float[] logits = new float[plan.Logits.Length], gradient = new float[Work.Images.Length];
        _backend.Download(plan.Logits, logits);
        plan.Loss(LossKind.CrossEntropy, gradientScale: 1);
        plan.Backward();
        _backend.Download(_buffers.InputGradient, gradient);
        return (logits, gradient);
    }

    /// <summary>Logits in training form of the clean images and gradients of the trained parameters, in the flat order.</summary>
    public (float[] Logits, float[] Gradients) Trained()
    {
        _backend.Copy(_buffers.Clean, _buffers.Input);
        _plan.Forward();
        float[] logits = new float[_plan.Logits.Length], gradients = new float[Work.Graph.Table.TrainedLength];
        _backend.Download(_plan.Logits, logits);
        _plan.Loss(LossKind.CrossEntropy, 1f / Work.Model.Batch);
        _plan.Backward();
        _backend.Download(_network.Parameters.Gradients.All, gradients);
        // Training changed running statistics, which the attack reads.
        TicketReset.Apply(_network.Parameters, _backend, Work.State, Work.Mask);
        return (logits, gradients);
    }

    public void Dispose()
    {
        _attack.Dispose();
        _network.Dispose();
    }

    private void Gradients()
    {
        _plan.Forward();
        _plan.Loss(LossKind.CrossEntropy, 1f / Work.Model.Batch);
        _plan.Backward();
    }
}
