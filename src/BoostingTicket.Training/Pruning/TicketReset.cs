using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Pruning;

/// <summary>Puts a network back to where its training began, as the sub-network that a mask leaves (paper, section
/// 3.1).</summary>
internal static class TicketReset
{
    /// <summary>Restores weights, normalisation and running statistics, forgets all momentum, and applies a mask. Pruned weights
    /// and their momenta are exactly 0 afterwards.</summary>
    /// <param name="store">The network's parameters.</param>
    /// <param name="backend">The backend they are on.</param>
    /// <param name="initial">The state at the start; another draw of it for the randomly reinitialised control.</param>
    /// <param name="mask">The mask; null for the dense network.</param>
    /// <exception cref="ArgumentException">State or mask are another model's.</exception>
    public static void Apply(ParameterStore store, IBackend backend, ModelState initial, Mask? mask)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(backend);
        ArgumentNullException.ThrowIfNull(initial);
        if (mask is not null && !Mask.SameLayout(mask.Table, store.Table))
            throw new ArgumentException("the mask is of another model than the network", nameof(mask));
        // The old mask must not touch the restored weights.
        store.SetMasks(null);
        initial.CopyTo(store, backend);
        backend.Fill(store.Momenta.All, 0);
        if (mask is not null)
            store.SetMasks(mask.ToFloats());
    }
}
