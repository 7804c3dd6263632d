using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Training.Optimization.Methods;

/// <summary>A training method at one batch size: from clean images to gradients. <see cref="TrainingStep"/> loads the images
/// before and steps the weights afterwards. Allocates nothing once made.</summary>
internal abstract class MethodStep : IDisposable
{
    /// <summary>Compiles the plan of the training pass.</summary>
    /// <param name="context">Network and settings.</param>
    /// <param name="besides">What the backward pass has to produce besides the gradients of the parameters.</param>
    protected MethodStep(MethodContext context, GradientRequest besides = GradientRequest.None)
    {
        ArgumentNullException.ThrowIfNull(context);
        Context = context;
        Buffers = context.Network.Buffers(context.Batch);
        Plan = context.Network.Plan(TrainingPlan(context.Batch, besides));
    }

    /// <summary>Told of every phase; null for none.</summary>
    public virtual IStepObserver? Observer { get; set; }

    /// <summary>Where clean images are loaded to.</summary>
    public virtual Tensor Destination => Buffers.Clean;

    /// <summary>What outlives the step, by name: part of a checkpoint.</summary>
    public virtual IReadOnlyList<(string Name, Tensor Tensor)> Kept => [];

    /// <summary>Network and settings.</summary>
    protected MethodContext Context { get; }

    /// <summary>Where it runs.</summary>
    protected IBackend Backend => Context.Network.Backend;

    /// <summary>Images, labels and results.</summary>
    protected BatchBuffers Buffers { get; }

    /// <summary>The training pass.</summary>
    protected Plan Plan { get; }

    /// <summary>Makes of the clean images what the training pass begins with, in <see cref="BatchBuffers.Input"/>.</summary>
    /// <param name="epoch">Keys random starts.</param>
    public virtual void Attack(int epoch)
    {
    }

    /// <summary>Finds the gradients of the parameters. Leaves losses and correctness of what was trained on in the
    /// buffers.</summary>
    public abstract void Train();

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>The options of the training pass.</summary>
    internal static PlanOptions TrainingPlan(int batch, GradientRequest besides = GradientRequest.None) =>
        new(batch, PlanMode.Train, GradientRequest.Parameters | besides);

    /// <summary>Frees what the step keeps.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }

    /// <summary>Forward pass and cross-entropy at <see cref="BatchBuffers.Input"/>, as a share of the step's mean.</summary>
    protected void Forward()
    {
        if (Observer is { } observer)
        {
            observer.Enter(StepPhase.Filters);
            Plan.Prepare();
            observer.Enter(StepPhase.TrainingForward);
        }
        Plan.Forward();
        Plan.Loss(LossKind.CrossEntropy, 1f / Context.StepSamples);
    }

    /// <summary>Backward pass.</summary>
    protected void Backward()
    {
        Observer?.Enter(StepPhase.TrainingBackward);
        Plan.Backward();
    }
}
