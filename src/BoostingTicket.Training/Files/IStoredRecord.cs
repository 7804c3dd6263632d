namespace BoostingTicket.Training.Files;

/// <summary>What is read back from a file and knows which values it can have: shares from 0 to 1, counts and seconds not
/// negative, parts not above their whole. <see cref="StoredJson"/> asks each record that it reads.</summary>
internal interface IStoredRecord
{
    /// <summary>The name of the first member that has no possible value; null if all have.</summary>
    string? WrongMember();
}
