using System.Security.Cryptography;
using System.Text;
using BoostingTicket.Training.Checkpoints;

namespace BoostingTicket.Training.Tickets;

/// <summary>What a folder belongs to besides its configuration; kept in it as <c>command.json</c>.</summary>
/// <param name="Command">The command that filled it: <c>run</c>, <c>train</c> or <c>retrain</c>.</param>
/// <param name="Ticket">SHA-256 of the ticket that is trained, lower-case hexadecimal; null without one.</param>
internal sealed record RunOwner(string Command, string? Ticket = null)
{
    /// <summary>SHA-256 of a ticket's mask and initial values, whatever file they are in.</summary>
    public static string HashOf(Ticket ticket) => HashOf(ticket.Mask.ContentHash() + ticket.Initial.ContentHash());

    /// <summary>A configuration's hash, and the ticket's with it where there is one: what a checkpoint is bound to.</summary>
    /// <param name="configurationHash">SHA-256 of the configuration.</param>
    public string Bind(string configurationHash) => Ticket is null ? configurationHash : HashOf(configurationHash + Ticket);

    private static string HashOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
