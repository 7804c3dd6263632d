using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Attacks;

namespace BoostingTicket.Training.Optimization.Methods;

/// <summary>FGSM training from a uniform random point of the ball, projected onto it after a step of 1.25 ε (Wong, Rice and Kolter,
/// "Fast is better than free", 2020).</summary>
internal sealed class FgsmRandomStartTraining : ITrainingMethod
{
    /// <inheritdoc/>
    public TrainingMethod Method => TrainingMethod.FgsmRs;

    /// <inheritdoc/>
    public string Description => "FGSM from a random start: one step of 1.25 ε, projected onto the ball (Wong et al., 2020)";

    /// <inheritdoc/>
    public int AttackSteps(TrainingSettings settings, AttackSettings attack) => 1;

    /// <inheritdoc/>
    public IEnumerable<PlanOptions> Plans(int batch, AttackSettings attack) => AttackedStep.Plans(batch, attack);

    /// <inheritdoc/>
    public MethodStep Create(MethodContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        AttackSettings attack = context.Attack;
        return new AttackedStep(context, new AttackBudget(
            PixelBall.Radius(attack.Epsilon), (float)(context.Settings.MethodOptions.FgsmRsStep * attack.Epsilon), 1,
            AttackStart.Random, 1, attack.Loss)
        {
            AllowsNoRadius = attack.Epsilon == 0,
        });
    }
}
