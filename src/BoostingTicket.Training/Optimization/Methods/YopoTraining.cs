using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Optimization.Methods;

/// <summary>YOPO-K-n (Zhang et al., "You only propagate once", 2019): K propagations through the whole network, after each of
/// which the images take n steps through the first layer alone; the gradients of all K are added up for one step of the
/// weights.</summary>
/// <remarks>The first layer is a convolution without activation. Its input gradient for a given output gradient is therefore the
/// same at every image, and the n inner steps follow the gradient of the propagation before: no pass through the first layer is
/// repeated for them. Its weight gradient does depend on the images and is taken, as in the authors' code, after the n
/// steps.</remarks>
internal sealed class YopoTraining : ITrainingMethod
{
    private const GradientRequest Besides = GradientRequest.Input | GradientRequest.FirstLayerApart;

    /// <inheritdoc/>
    public TrainingMethod Method => TrainingMethod.Yopo;

    /// <inheritdoc/>
    public string Description =>
        "YOPO-K-n: K passes per step of the weights; after each, n steps of the images through the first layer (Zhang et al., "
        + "2019)";

    /// <inheritdoc/>
    public bool SumsGradients => true;

    /// <inheritdoc/>
    public bool TakesStepSize => true;

    /// <inheritdoc/>
    public int AttackSteps(TrainingSettings settings, AttackSettings attack)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return settings.MethodOptions.OuterSteps * settings.MethodOptions.InnerSteps;
    }

    /// <inheritdoc/>
    public IEnumerable<PlanOptions> Plans(int batch, AttackSettings attack) => [MethodStep.TrainingPlan(batch, Besides)];

    /// <inheritdoc/>
    public MethodStep Create(MethodContext context) => new Step(context);

    private sealed class Step(MethodContext context) : MethodStep(context, Besides)
    {
        private readonly float _epsilon = PixelBall.Radius(context.Attack.Epsilon);
        private readonly float _stepSize = (float)context.Attack.StepSize;

        public override void Attack(int epoch)
        {
            Observer?.Enter(StepPhase.AttackStart);
            Backend.RandomStart(
                Buffers.Clean, Buffers.Samples, _epsilon, new RandomStartKey(Context.AttackKey, epoch, 0), Buffers.Input);
        }

        public override void Train()
        {
            MethodSettings options = Context.Settings.MethodOptions;
            for (int propagation = 0; propagation < options.OuterSteps; propagation++)
            {
                if (propagation > 0)
                    Context.Optimizer.Accumulate();
                Forward();
                Backward();
                Observer?.Enter(StepPhase.AttackStep);
                for (int step = 0; step < options.InnerSteps; step++)
                    Backend.AttackStep(Buffers.Clean, Buffers.InputGradient, _epsilon, _stepSize, Buffers.Input);
                Observer?.Enter(StepPhase.TrainingBackward);
                Plan.BackwardFirstLayer();
            }
        }
    }
}
