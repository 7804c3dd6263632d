using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Optimization.Methods;

namespace BoostingTicket.Runs.Experiments.Nodes;

/// <summary>What a piece of work costs, in units that can be counted before it begins.</summary>
/// <param name="Kind">What its passes compute.</param>
/// <param name="TrainingSteps">Batches trained on.</param>
/// <param name="CleanImages">Images classified without an attack.</param>
/// <param name="AttackedImageSteps">Images times steps of attacks in validation and tests, at most: what is misclassified without
/// an attack is not attacked.</param>
/// <param name="MultiplyAdds">Multiply-adds of the model's forward pass on one image.</param>
internal sealed record NodeCost(
    StepKind Kind, long TrainingSteps, long CleanImages, long AttackedImageSteps, long MultiplyAdds)
{
    // A forward pass is one unit, and so are the gradients of a layer's input and of its weights.
    private const int TrainingPasses = 3, AttackPasses = 2;

    /// <summary>The settings of the training.</summary>
    public TrainingSettings Training => Kind.Job.Settings;

    /// <summary>Gradient steps of the attack on a training batch.</summary>
    public int AttackSteps => TrainingMethodCatalog.Find(Training.Method).AttackSteps(Training, Kind.Job.Attack);

    /// <summary>Multiply-adds of all of it, for comparing pieces with each other.</summary>
    public double Work => (1 - Kind.MultiplyAddsRemoved) * MultiplyAdds * (
        (double)TrainingSteps * Training.BatchSize * (TrainingPasses + AttackPasses * AttackSteps) + CleanImages
        + (double)AttackPasses * AttackedImageSteps);

    /// <summary>Nothing that takes time.</summary>
    public static NodeCost None(TrainingJob job) => new(new StepKind(job), 0, 0, 0, 0);
}
