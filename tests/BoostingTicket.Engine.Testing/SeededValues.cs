using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing;

/// <summary>Reproducible random values, drawn from Philox under a key made of a name, so that a failure is replayed by its
/// name alone and no case shifts another's numbers.</summary>
internal sealed class SeededValues
{
    private readonly ulong _key;
    private uint _drawn;

    /// <summary>The sequence that belongs to <paramref name="name"/>.</summary>
    public SeededValues(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        // FNV-1a: stable over processes and machines, which string.GetHashCode is not.
        ulong hash = 14695981039346656037;
        foreach (char character in name)
            hash = unchecked((hash ^ character) * 1099511628211);
        _key = hash;
    }

    /// <summary>Independent standard normal values.</summary>
    public float[] Normal(int count, float mean = 0, float deviation = 1)
    {
        float[] values = new float[count];
        uint draw = _drawn++;
        for (int i = 0; i < count; i += 2)
        {
            var words = Philox.Words(_key, (uint)i, draw, 0, 0);
            (float first, float second) = Philox.Normal(words[0], words[1]);
            values[i] = mean + deviation * first;
            if (i + 1 < count)
                values[i + 1] = mean + deviation * second;
        }
        return values;
    }

    /// <summary>Independent values, uniform in [<paramref name="from"/>, <paramref name="to"/>).</summary>
    public float[] Uniform(int count, float from = 0, float to = 1)
    {
        float[] values = new float[count];
        uint draw = _drawn++;
        for (int i = 0; i < count; i++)
            values[i] = from + (to - from) * Philox.Uniform(Philox.Words(_key, (uint)i, draw, 0, 0)[0]);
        return values;
    }

    /// <summary>Independent integers, uniform in [0, <paramref name="end"/>).</summary>
    public int[] Integers(int count, int end)
    {
        int[] values = new int[count];
        uint draw = _drawn++;
        for (int i = 0; i < count; i++)
            values[i] = (int)(Philox.Words(_key, (uint)i, draw, 0, 0)[0] % (uint)end);
        return values;
    }
}
