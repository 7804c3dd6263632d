using BoostingTicket.Training.Models;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Experiments;

/// <summary>The relative weight distance of the paper's later text (arXiv 2003.05733), <c>‖w_full − w_ticket‖₂ / ‖w_full‖₂</c>.
/// The text does not say which weights these are. Here they are all prunable weights of a network, pruned ones counting as zeros;
/// w_full are those of a dense network after training (the ticket's donor, or the dense baseline), and w_ticket those of the
/// ticket: before training, the initial weights that its mask leaves, or after it. Normalisation, biases and the last layer do
/// not count, since pruning does not touch them.</summary>
internal static class RelativeDistance
{
    /// <summary>The distance of a ticket's weights to a full network's.</summary>
    /// <param name="full">The full network.</param>
    /// <param name="ticket">The ticket.</param>
    /// <param name="mask">What of the ticket's weights is kept; null where its pruned weights are zeros already.</param>
    /// <returns>0 or more; 0 for two networks of zeros.</returns>
    /// <exception cref="ArgumentException">They are different models.</exception>
    public static double Between(ModelState full, ModelState ticket, Mask? mask = null)
    {
        ReadOnlySpan<float> a = full.PrunableWeights, b = ticket.PrunableWeights;
        if (a.Length != b.Length)
            throw new ArgumentException("the ticket is of another model than the full network", nameof(ticket));
        double distance = 0, norm = 0;
        for (int i = 0; i < a.Length; i++)
        {
            double kept = mask is not null && mask.Values[i] == 0 ? 0 : b[i];
            distance += (a[i] - kept) * (a[i] - kept);
            norm += (double)a[i] * a[i];
        }
        return norm == 0 ? (distance == 0 ? 0 : double.PositiveInfinity) : Math.Sqrt(distance / norm);
    }
}
