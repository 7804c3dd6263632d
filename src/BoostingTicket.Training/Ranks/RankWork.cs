using System.Text.Json;

namespace BoostingTicket.Training.Ranks;

/// <summary>What rank 0 calls on other processes for. Both sides then make the same exchanges.</summary>
internal enum RankWork
{
    /// <summary>End, with an exit code.</summary>
    End = BoostingTicket.Engine.Ranks.RankTeam.End,

    /// <summary>Open a device.</summary>
    Device,

    /// <summary>Take an image set.</summary>
    Images,

    /// <summary>Make a network.</summary>
    Network,

    /// <summary>Take its weights, statistics, masks and, for a training, momenta.</summary>
    State,

    /// <summary>Prepare a step of a training.</summary>
    CreateStep,

    /// <summary>Do it.</summary>
    Step,

    /// <summary>Forget it.</summary>
    DropStep,

    /// <summary>Hand over what outlives it.</summary>
    Keep,

    /// <summary>Take back what outlives it.</summary>
    Restore,

    /// <summary>Say which weights there are.</summary>
    Hash,

    /// <summary>Say how many seconds of processors were used, and how many operations were done.</summary>
    Load,

    /// <summary>Prepare a measurement.</summary>
    CreateEvaluation,

    /// <summary>Classify or attack one batch of it.</summary>
    Evaluate,

    /// <summary>Forget it.</summary>
    DropEvaluation,

    /// <summary>Prepare attacks.</summary>
    CreateAttack,

    /// <summary>Attack one batch.</summary>
    Attack,

    /// <summary>Forget them.</summary>
    DropAttack,
}

/// <summary>How calls spell what they need.</summary>
internal static class RankJson
{
    /// <summary>Writes a payload.</summary>
    public static byte[] Write<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value);

    /// <summary>Reads a payload.</summary>
    public static T Read<T>(byte[] payload) => JsonSerializer.Deserialize<T>(payload)
        ?? throw new InvalidOperationException("A call has no payload.");
}
