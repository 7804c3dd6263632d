namespace BoostingTicket.Training.Pruning;

/// <summary>What pruning takes away, by name.</summary>
/// <param name="Name">The name, as options spell it.</param>
/// <param name="Description">What it means, in one line for people.</param>
/// <param name="Channels">Whether whole channels go.</param>
/// <param name="Weights">Whether single weights go, of what the channels leave.</param>
internal sealed record TicketStructure(string Name, string Description, bool Channels, bool Weights)
{
    /// <summary>Every structure; the default first.</summary>
    public static IReadOnlyList<TicketStructure> All { get; } =
    [
        new("weight", "single weights, which a mask keeps at zero", Channels: false, Weights: true),
        new("channel", "whole channels: the ticket is a smaller dense network", Channels: true, Weights: false),
        new("channel,weight", "channels first, then single weights of the smaller network", Channels: true, Weights: true),
    ];

    /// <summary>The structure of a name.</summary>
    /// <exception cref="ConfigurationException">There is no such structure; the message names the nearest.</exception>
    public static TicketStructure Find(string name) =>
        All.FirstOrDefault(structure => structure.Name == name)
        ?? throw NearestName.Unknown("structure", name, [.. All.Select(structure => structure.Name)]);
}
