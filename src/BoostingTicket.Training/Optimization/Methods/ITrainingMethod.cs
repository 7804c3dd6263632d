using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Attacks;

namespace BoostingTicket.Training.Optimization.Methods;

/// <summary>A way to train: what a step does with a batch. Registered in <see cref="TrainingMethodCatalog"/>.</summary>
internal interface ITrainingMethod
{
    /// <summary>The value of the settings that it stands for; its word is the method's name.</summary>
    TrainingMethod Method { get; }

    /// <summary>What it is and where it comes from, in one line.</summary>
    string Description { get; }

    /// <summary>Whether it trains on adversarial images, so that robust accuracy is what it is judged by.</summary>
    bool IsAdversarial => true;

    /// <summary>Whether a step adds up the gradients of several backward passes.</summary>
    bool SumsGradients => false;

    /// <summary>Steps that follow one another on the same batch before the next is taken.</summary>
    int Replays(MethodSettings settings) => 1;

    /// <summary>Steps of the attack for each step of the weights.</summary>
    int AttackSteps(TrainingSettings settings, AttackSettings attack);

    /// <summary>Whether its attack takes steps of <see cref="AttackSettings.StepSize"/>.</summary>
    bool TakesStepSize => false;

    /// <summary>Radius of the L∞ ball around the clean images that what is trained on lies in, in pixel units.</summary>
    double Radius(TrainingSettings settings, AttackSettings attack)
    {
        ArgumentNullException.ThrowIfNull(attack);
        return attack.Epsilon;
    }

    /// <summary>The plans that a step runs at one batch size.</summary>
    IEnumerable<PlanOptions> Plans(int batch, AttackSettings attack);

    /// <summary>Bytes on the device that a step keeps beside its plans at one batch size.</summary>
    long KeptBytes(Network network, int batch) => 0;

    /// <summary>Makes the step for one batch size; compiles its plans.</summary>
    MethodStep Create(MethodContext context);
}

/// <summary>What a method's step works with.</summary>
/// <param name="Network">The network.</param>
/// <param name="Optimizer">Steps its weights, and adds up gradients where a method has several backward passes.</param>
/// <param name="Settings">The training.</param>
/// <param name="Attack">The attack that it defends against.</param>
/// <param name="AttackKey">Key of random starts.</param>
/// <param name="Batch">Samples.</param>
internal sealed record MethodContext(
    Network Network, SgdOptimizer Optimizer, TrainingSettings Settings, AttackSettings Attack, ulong AttackKey, int Batch)
{
    /// <summary>Samples of the whole step, by which losses are divided; more than <see cref="Batch"/> where the step is cut into
    /// shards.</summary>
    public int StepSamples { get; init; } = Batch;
}
