using System.Runtime.Intrinsics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Attacks;

/// <summary>Who draws random numbers under the key of an evaluation's attacks: the third word of the counter, of which random
/// starts of PGD take 0. Values decide results: append, never renumber.</summary>
internal enum AttackPurpose
{
    /// <summary>Starts of <see cref="AutoPgd"/> without targets.</summary>
    AutoPgd = 1,

    /// <summary>Starts of <see cref="AutoPgd"/> with targets.</summary>
    TargetedAutoPgd = 2,

    /// <summary>Stripes of <see cref="SquareAttack"/>.</summary>
    SquareStripes = 3,

    /// <summary>Places and colours of <see cref="SquareAttack"/>.</summary>
    Squares = 4,
}

/// <summary>Random numbers of a round of an attack: pure functions of key, purpose, round and sample, the same on every
/// device.</summary>
/// <param name="Stream">Key.</param>
/// <param name="Purpose">Who draws.</param>
/// <param name="Round">Round, or query.</param>
internal readonly record struct AttackRandom(ulong Stream, AttackPurpose Purpose, int Round)
{
    /// <summary>Four words of a sample.</summary>
    /// <param name="sample">Identity of the sample.</param>
    /// <param name="block">Number of the four words.</param>
    public Vector128<uint> Words(int sample, int block) =>
        Philox.Words(Stream, (uint)block, (uint)sample, (uint)Purpose, (uint)Round);

    /// <summary>A word of a sample.</summary>
    public uint Word(int sample, int index) => Words(sample, index / 4)[index % 4];

    /// <summary>APGD's start: a uniform direction stretched until its largest value is ε, clamped to the ball.</summary>
    /// <param name="clean">The image.</param>
    /// <param name="sample">Identity of the sample.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="start">Receives the start.</param>
    public void ScaledStart(ReadOnlySpan<float> clean, int sample, float epsilon, Span<float> start)
    {
        float largest = 0;
        Vector128<uint> words = default;
        for (int e = 0; e < clean.Length; e++)
        {
            if (e % 4 == 0)
                words = Words(sample, e / 4);
            start[e] = 2 * Philox.Uniform(words[e % 4]) - 1;
            largest = Math.Max(largest, Math.Abs(start[e]));
        }
        for (int e = 0; e < clean.Length; e++)
            start[e] = PixelBall.Project(clean[e] + epsilon * (start[e] / (largest + 1e-12f)), clean[e], epsilon);
    }
}
