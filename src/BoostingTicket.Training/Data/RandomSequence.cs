using System.Runtime.Intrinsics;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Data;

/// <summary>
/// The words of <see cref="Philox"/> one after the other: word n is a pure function of the key, the two stream numbers and n,
/// so a sequence can be drawn again anywhere, on any platform.
/// </summary>
/// <param name="key">The key; see <see cref="Philox.Key"/>.</param>
/// <param name="major">First number of the stream, such as the epoch.</param>
/// <param name="minor">Second number of the stream, such as the sample.</param>
internal struct RandomSequence(ulong key, uint major, uint minor)
{
    private Vector128<uint> _words;
    private uint _block;
    private int _used = Vector128<uint>.Count;

    /// <summary>The next 32 random bits.</summary>
    public uint NextWord()
    {
        if (_used == Vector128<uint>.Count)
        {
            _words = Philox.Words(key, _block++, major, minor, 0);
            _used = 0;
        }

        return _words.GetElement(_used++);
    }

    /// <summary>A uniform whole number in [0, bound), without bias (Lemire, "Fast random integer generation in an interval",
    /// 2019).</summary>
    /// <param name="bound">At least 1.</param>
    public int NextBelow(int bound)
    {
        ulong product = (ulong)NextWord() * (uint)bound;
        if ((uint)product < (uint)bound)
        {
            uint threshold = unchecked(0u - (uint)bound) % (uint)bound;
            while ((uint)product < threshold)
                product = (ulong)NextWord() * (uint)bound;
        }

        return (int)(product >> 32);
    }

    /// <summary>A uniform number in [0, 1).</summary>
    public float NextSingle() => Philox.Uniform(NextWord());

    /// <summary>A uniform number in [low, high).</summary>
    /// <param name="low">The least value.</param>
    /// <param name="high">The bound.</param>
    public float NextSingle(float low, float high) => low + (high - low) * NextSingle();

    /// <summary>Shuffles in place, every order equally likely (Fisher-Yates).</summary>
    /// <typeparam name="T">The item.</typeparam>
    /// <param name="items">The items.</param>
    public void Shuffle<T>(Span<T> items)
    {
        for (int i = items.Length - 1; i > 0; i--)
        {
            int j = NextBelow(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }
}
