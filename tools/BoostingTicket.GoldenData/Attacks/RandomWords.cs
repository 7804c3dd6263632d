using static TorchSharp.torch;

namespace BoostingTicket.GoldenData.Attacks;

/// <summary>The random words of the project's attacks, so that both sides draw the same: Philox4x32-10 of Salmon et al.,
/// "Parallel random numbers: as easy as 1, 2, 3" (SC 2011), written down a second time. Word i of a sample is word i % 4 of the
/// counter (i / 4, sample, purpose, round) under the key of the evaluation.</summary>
internal static class RandomWords
{
    /// <summary>Key of all recordings.</summary>
    public const ulong Key = 2003_05733;

    // The vectors that the authors publish with their Random123.
    private static readonly (uint[] Counter, ulong Key, uint[] Words)[] Known =
    [
        ([0, 0, 0, 0], 0, [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]),
        ([0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], 0xffffffff_ffffffff, [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]),
        ([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], 0x299f31d0_a4093822, [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]),
    ];

    /// <summary>Compares the generator with its published test vectors.</summary>
    /// <exception cref="InvalidOperationException">They differ.</exception>
    public static void Check()
    {
        foreach ((uint[] counter, ulong key, uint[] words) in Known)
            if (!Philox(counter, key).SequenceEqual(words))
                throw new InvalidOperationException("The generator of random words departs from Philox4x32-10.");
    }

    /// <summary>The first <paramref name="count"/> words of a sample.</summary>
    public static IEnumerable<uint> Of(int sample, int count, uint purpose, int round) =>
        Enumerable.Range(0, (count + 3) / 4)
            .SelectMany(block => Philox([(uint)block, (uint)sample, purpose, (uint)round], Key)).Take(count);

    /// <summary>Numbers in [-1, 1), a multiple of 2^-23 each from a word's upper 24 bits, for samples 0, 1, …: float64
    /// [samples, <paramref name="shape"/>].</summary>
    public static Tensor Uniform(int samples, long[] shape, uint purpose, int round)
    {
        int length = (int)shape.Aggregate(1L, (a, b) => a * b);
        double[] values = Enumerable.Range(0, samples)
            .SelectMany(sample => Of(sample, length, purpose, round)).Select(
                word => (word >> 8) * Math.Pow(2, -23) - 1).ToArray();
        return tensor(values, [samples, .. shape]);
    }

    /// <summary>1 where a word's highest bit is clear, -1 where it is set.</summary>
    public static double Sign(uint word) => word < 0x80000000 ? 1 : -1;

    /// <summary>An integer in [0, <paramref name="count"/>): the whole part of word / 2^32 times count.</summary>
    public static int Integer(uint word, int count) => (int)Math.Floor(word / 4294967296.0 * count);

    private static uint[] Philox(uint[] counter, ulong key)
    {
        uint[] c = [.. counter];
        for (uint round = 0; round < 10; round++)
        {
            ulong left = 0xD2511F53UL * c[0], right = 0xCD9E8D57UL * c[2];
            uint k0 = unchecked((uint)key + round * 0x9E3779B9), k1 = unchecked((uint)(key >> 32) + round * 0xBB67AE85);
            c = [(uint)(right >> 32) ^ c[1] ^ k0, (uint)right, (uint)(left >> 32) ^ c[3] ^ k1, (uint)left];
        }
        return c;
    }
}
