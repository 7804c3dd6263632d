using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Optimization.Methods;

/// <summary>TRADES (Zhang et al., "Theoretically principled trade-off between robustness and accuracy", 2019): cross-entropy of
/// the clean images plus β times the divergence of the predictions of adversarial images from theirs. The attack starts at 0.001
/// N(0, 1) and raises that divergence.</summary>
internal sealed class TradesTraining : ITrainingMethod
{
    private const float StartDeviation = 0.001f;

    /// <inheritdoc/>
    public TrainingMethod Method => TrainingMethod.Trades;

    /// <inheritdoc/>
    public string Description =>
        "TRADES: cross-entropy of clean images plus β times the largest divergence that PGD finds (Zhang et al., 2019)";

    /// <inheritdoc/>
    public bool SumsGradients => true;

    /// <inheritdoc/>
    public bool TakesStepSize => true;

    /// <inheritdoc/>
    public int AttackSteps(TrainingSettings settings, AttackSettings attack)
    {
        ArgumentNullException.ThrowIfNull(attack);
        return attack.Steps;
    }

    /// <inheritdoc/>
    public IEnumerable<PlanOptions> Plans(int batch, AttackSettings attack) =>
        [.. AttackedStep.Plans(batch, attack), CleanPlan(batch)];

    /// <inheritdoc/>
    public long KeptBytes(Network network, int batch)
    {
        ArgumentNullException.ThrowIfNull(network);
        return 2 * network.Backend.DescribeTensor(batch, network.Graph.Output.Shape).Bytes;
    }

    /// <inheritdoc/>
    public MethodStep Create(MethodContext context) => new Step(context);

    private static PlanOptions CleanPlan(int batch) =>
        new(batch, PlanMode.Attack, GradientRequest.None, AttackStatistics.Batch);

    private sealed class Step : MethodStep
    {
        private readonly OwnTensor _clean;
        private readonly OwnTensor _adversarial;
        private readonly FloatBuffer _divergences;
        private readonly FloatBuffer _correct;
        private readonly Plan _cleanPlan;
        private readonly DivergenceTarget _target;
        private readonly ProjectedGradientDescent _attack;
        private readonly float _beta;

        public Step(MethodContext context) : base(context)
        {
            AttackSettings attack = context.Attack;
            FeatureShape logits = context.Network.Graph.Output.Shape;
            _clean = new OwnTensor(Backend, Backend.DescribeTensor(context.Batch, logits));
            _adversarial = new OwnTensor(Backend, Backend.DescribeTensor(context.Batch, logits));
            _divergences = Backend.CreateFloats(context.Batch);
            _correct = Backend.CreateFloats(context.Batch);
            _cleanPlan = context.Network.Plan(CleanPlan(context.Batch));
            _target = new DivergenceTarget(context.Network, context.Batch, attack.Statistics, _clean.Tensor);
            _attack = new ProjectedGradientDescent(_target, new AttackBudget(
                PixelBall.Radius(attack.Epsilon), (float)attack.StepSize, attack.Steps, AttackStart.Normal, 1,
                LossKind.CrossEntropy)
            {
                StartRadius = StartDeviation,
                AllowsNoRadius = attack.Epsilon == 0,
            });
            _beta = (float)context.Settings.MethodOptions.Beta;
        }

        public override IStepObserver? Observer
        {
            get => base.Observer;
            set
            {
                base.Observer = value;
                _target.Observer = value;
            }
        }

        public override void Attack(int epoch)
        {
            _target.TakeReference();
            _attack.Run(Context.AttackKey, epoch);
        }

        // The plan holds the feature maps of one pass, so that the two branches go back one after the other, the adversarial one
        // first. Its gradient needs the clean predictions under the clean batch's statistics, which a pass without gradients
        // gives. Running statistics see each branch once, in its training pass.
        public override void Train()
        {
            float scale = _beta / Context.StepSamples;
            Backend.Copy(Buffers.Input, Buffers.Worst);
            Backend.Copy(Buffers.Clean, Buffers.Input);
            Observer?.Enter(StepPhase.TrainingForward);
            _cleanPlan.Forward();
            Backend.Copy(_cleanPlan.Logits, _clean.Tensor);

            Backend.Copy(Buffers.Worst, Buffers.Input);
            Forward();
            Backend.Copy(Plan.Logits, _adversarial.Tensor);
            Backend.Copy(Buffers.Correct.All, _correct.All);
            Plan.Divergence(_clean.Tensor, _divergences, scale);
            Backward();
            Context.Optimizer.Accumulate();

            Backend.Copy(Buffers.Clean, Buffers.Input);
            Forward();
            Plan.AddDivergenceOf(_adversarial.Tensor, _divergences, scale);
            Backend.Blend(_divergences.All, _beta, 1, Buffers.Losses.All);
            Backend.Copy(_correct.All, Buffers.Correct.All);
            Backward();
        }

        protected override void Dispose(bool disposing)
        {
            _attack.Dispose();
            _clean.Dispose();
            _adversarial.Dispose();
            _divergences.Dispose();
            _correct.Dispose();
            base.Dispose(disposing);
        }
    }
}
