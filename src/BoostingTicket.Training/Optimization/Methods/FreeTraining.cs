using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Optimization.Methods;

/// <summary>Free adversarial training (Shafahi et al., 2019): one backward pass gives the gradients of weights and of images. A
/// batch is trained on m times in a row, the perturbation moves by ε each time and stays for the next batch.</summary>
internal sealed class FreeTraining : ITrainingMethod
{
    /// <inheritdoc/>
    public TrainingMethod Method => TrainingMethod.Free;

    /// <inheritdoc/>
    public string Description =>
        "Free-m: each batch m times in a row, with one gradient for weights and images; the perturbation stays (Shafahi et al., "
        + "2019)";

    /// <inheritdoc/>
    public int Replays(MethodSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return settings.Replays;
    }

    /// <inheritdoc/>
    public int AttackSteps(TrainingSettings settings, AttackSettings attack) => 1;

    /// <inheritdoc/>
    public IEnumerable<PlanOptions> Plans(int batch, AttackSettings attack) =>
        [MethodStep.TrainingPlan(batch, GradientRequest.Input)];

    /// <inheritdoc/>
    public long KeptBytes(Network network, int batch)
    {
        ArgumentNullException.ThrowIfNull(network);
        return network.Backend.DescribeImages(batch, network.Graph.Input.Shape).Bytes;
    }

    /// <inheritdoc/>
    public MethodStep Create(MethodContext context) => new Step(context);

    /// <summary>One replay. A leftover batch has a perturbation of its own, since tensors of different batch sizes share no
    /// memory.</summary>
    private sealed class Step : MethodStep
    {
        private readonly OwnTensor _perturbation;
        private readonly FloatBuffer _minusOnes;
        private readonly float _epsilon;

        public Step(MethodContext context) : base(context, GradientRequest.Input)
        {
            FeatureShape shape = context.Network.Graph.Input.Shape;
            _epsilon = PixelBall.Radius(context.Attack.Epsilon);
            _perturbation = new OwnTensor(Backend, Backend.DescribeImages(context.Batch, shape));
            Backend.Upload(new float[context.Batch * shape.Length], _perturbation.Tensor);
            _minusOnes = Backend.CreateFloats(shape.Channels);
            Backend.Fill(_minusOnes.All, -1);
            Kept = [($"perturbation.{context.Batch}", _perturbation.Tensor)];
        }

        public override IReadOnlyList<(string Name, Tensor Tensor)> Kept { get; }

        public override void Attack(int epoch)
        {
            Observer?.Enter(StepPhase.AttackStart);
            var sum = new ForwardEpilogue(null, Buffers.Clean, Activation.None);
            Backend.ElementwiseForward(_perturbation.Tensor, Buffers.Input, sum);
            // A step of no length clamps to the ball and to [0, 1].
            Backend.AttackStep(Buffers.Clean, _perturbation.Tensor, _epsilon, 0, Buffers.Input);
        }

        public override void Train()
        {
            Forward();
            Backward();
            Observer?.Enter(StepPhase.AttackStep);
            Backend.AttackStep(Buffers.Clean, Buffers.InputGradient, _epsilon, _epsilon, Buffers.Input);
            var difference = new ForwardEpilogue(null, Buffers.Input, Activation.None);
            Backend.ScaleForward(Buffers.Clean, _minusOnes.All, _perturbation.Tensor, difference);
        }

        protected override void Dispose(bool disposing)
        {
            _perturbation.Dispose();
            _minusOnes.Dispose();
            base.Dispose(disposing);
        }
    }
}
