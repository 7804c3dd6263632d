namespace BoostingTicket.Runs.Experiments;

/// <summary>A number that the paper states.</summary>
/// <param name="Value">The number, in the unit of what it is compared with.</param>
/// <param name="Source">Where it stands.</param>
/// <param name="IsRounded">Whether the paper calls it an approximate value.</param>
internal sealed record PaperValue(double Value, string Source, bool IsRounded = false);
