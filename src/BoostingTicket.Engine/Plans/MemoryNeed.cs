namespace BoostingTicket.Engine.Plans;

/// <summary>Bytes that a network needs on its device.</summary>
/// <param name="Parameters">Weights, statistics, masks and, when training, gradients and momenta.</param>
/// <param name="Filters">Weights in the forms that convolutions compute with.</param>
/// <param name="FeatureMaps">Feature maps and their gradients, of the plan that needs most.</param>
/// <param name="Images">Images, adversarial images and their gradients, of every batch size.</param>
internal readonly record struct MemoryNeed(long Parameters, long Filters, long FeatureMaps, long Images)
{
    /// <summary>All of it.</summary>
    public long Total => Parameters + Filters + FeatureMaps + Images;
}
