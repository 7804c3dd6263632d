using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Profiling;

/// <summary>How much work operations and phases are.</summary>
/// <param name="network">The network, whose plans exist.</param>
/// <param name="mask">Its mask; null for none.</param>
/// <param name="batch">Samples of a pass: of a shard where there are replicas.</param>
/// <param name="stepSamples">Samples of a step.</param>
internal sealed class WorkEstimates(Network network, Mask? mask, int batch, int stepSamples)
{
    private const int ValueBytes = sizeof(float);

    /// <summary>Work of one call.</summary>
    public Work Of(PlanOperation operation)
    {
        long bytes = operation.Traffic, dense = operation.Arithmetic, kept = dense;
        if (operation.Kind is OperationKind.ConvolutionForward or OperationKind.ConvolutionBackwardInput
            or OperationKind.ConvolutionBackwardFilter && WeightOf(operation.Layer) is { } weight)
        {
            bytes += (long)ValueBytes * weight.Length;
            kept = (long)(dense * (Kept(weight) ?? 1));
        }
        return new Work(dense, kept, bytes);
    }

    /// <summary>Share of a layer's weights that is kept; null where none may be pruned.</summary>
    public double? Kept(string layer) => WeightOf(layer) is { } weight ? Kept(weight) : null;

    /// <summary>Work of a phase of training, entered once.</summary>
    public Work Of(StepPhase phase)
    {
        long image = network.Buffers(batch).Input.Bytes;
        ParameterTable table = network.Graph.Table;
        return phase switch
        {
            StepPhase.AttackForward => Sum(PlanMode.Attack, PlanPass.Forward),
            StepPhase.AttackGradient => Sum(PlanMode.Attack, PlanPass.Backward),
            StepPhase.TrainingForward => Sum(PlanMode.Train, PlanPass.Forward),
            StepPhase.TrainingBackward => Sum(PlanMode.Train, PlanPass.Backward),
            // Pixels are bytes in the store; images are read and written once, in an attack step with clean image and gradient.
            StepPhase.Data => Traffic(((long)batch * network.Graph.Input.Shape.Length + image) * stepSamples / batch),
            StepPhase.AttackStart => Traffic(2 * image),
            StepPhase.AttackStep => Traffic(4 * image),
            // Gradients are read, momenta and weights read and written.
            StepPhase.Update => Traffic(
                5L * ValueBytes * table.TrainedLength + (mask is null ? 0 : (long)ValueBytes * table.PrunableLength)),
            _ => default,
        };
    }

    /// <summary>Work of classifying samples.</summary>
    public Work Evaluation(int samples)
    {
        Plan? plan = network.Plans.FirstOrDefault(plan => plan.Options.Mode == PlanMode.Evaluate);
        if (plan is null)
            return default;
        return Sum(plan, PlanPass.Forward).Times((double)samples / plan.Options.Batch);
    }

    private static Work Traffic(long bytes) => new(0, 0, bytes);

    private Work Sum(PlanMode mode, PlanPass pass) =>
        network.Plans.FirstOrDefault(plan =>
            plan.Options.Mode == mode && plan.Options.Batch == batch
                && plan.Options.Gradients != GradientRequest.None) is { } plan
            ? Sum(plan, pass)
            : default;

    private Work Sum(Plan plan, PlanPass pass) =>
        plan.Operations.Where(operation => operation.Pass == pass).Aggregate(
            default(Work), (sum, operation) => sum + Of(operation));

    private Parameter? WeightOf(string layer) => network.Graph.Table.Find($"{layer}.weight");

    private double? Kept(Parameter weight) => !weight.Prunable
        ? null
        : mask is null ? 1 : (double)mask[weight].Count((byte)1) / weight.Length;
}
