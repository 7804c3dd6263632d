using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace BoostingTicket.Engine.Tensors;

/// <summary>Philox4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3"
/// (SC 2011). A value is a pure function of key and counter, so every backend and any number of threads draw the same
/// numbers in any order.</summary>
internal static class Philox
{
    private const uint Multiplier0 = 0xD2511F53;
    private const uint Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9;
    private const uint Weyl1 = 0xBB67AE85;
    private const int Rounds = 10;

    /// <summary>Four random words of the counter (<paramref name="c0"/> … <paramref name="c3"/>) under
    /// <paramref name="key"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<uint> Words(ulong key, uint c0, uint c1, uint c2, uint c3)
    {
        uint k0 = (uint)key, k1 = (uint)(key >> 32);
        for (int round = 0; round < Rounds; round++)
        {
            ulong product0 = (ulong)Multiplier0 * c0;
            ulong product1 = (ulong)Multiplier1 * c2;
            (c0, c1, c2, c3) = (
                (uint)(product1 >> 32) ^ c1 ^ k0,
                (uint)product1,
                (uint)(product0 >> 32) ^ c3 ^ k1,
                (uint)product0);
            k0 += Weyl0;
            k1 += Weyl1;
        }
        return Vector128.Create(c0, c1, c2, c3);
    }

    /// <summary>A uniform float32 in [0, 1) from the upper 24 bits of a word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Uniform(uint word) => (word >> 8) * (1f / (1 << 24));

    /// <summary>Two independent standard normal values from two words (Box–Muller in double precision).</summary>
    public static (float First, float Second) Normal(uint word0, uint word1)
    {
        double radius = Math.Sqrt(-2 * Math.Log((word0 + 0.5) * (1.0 / 4294967296.0)));
        double angle = 2 * Math.PI * ((word1 + 0.5) * (1.0 / 4294967296.0));
        return ((float)(radius * Math.Cos(angle)), (float)(radius * Math.Sin(angle)));
    }

    /// <summary>A key for an independent stream of numbers: the seed and the purpose that draws from it, mixed
    /// (SplitMix64 finaliser), so that streams of neighbouring seeds share nothing.</summary>
    public static ulong Key(ulong seed, RandomStream stream)
    {
        ulong z = unchecked(seed + ((ulong)stream + 1) * 0x9E3779B97F4A7C15UL);
        z = unchecked((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL);
        z = unchecked((z ^ (z >> 27)) * 0x94D049BB133111EBUL);
        return z ^ (z >> 31);
    }
}

/// <summary>Purposes that draw random numbers, each from a stream of its own. Values are part of the file format:
/// append, never renumber.</summary>
internal enum RandomStream
{
    /// <summary>Initial weights.</summary>
    Initialization = 0,

    /// <summary>Random starts of attacks in training.</summary>
    TrainingAttack = 1,

    /// <summary>Random starts of attacks in evaluation.</summary>
    EvaluationAttack = 2,

    /// <summary>Order of samples in an epoch.</summary>
    EpochOrder = 3,

    /// <summary>Crops and flips.</summary>
    Augmentation = 4,

    /// <summary>The split into training and validation samples.</summary>
    Split = 5,

    /// <summary>The built-in generated images.</summary>
    SyntheticImages = 6,

    /// <summary>Weights of the randomly reinitialised control.</summary>
    Reinitialization = 7,

    /// <summary>The shuffled-mask control.</summary>
    MaskShuffle = 8,
}
