using BoostingTicket.Engine.Ranks;

namespace BoostingTicket.Training.Optimization.Replicas;

/// <summary>Memory of the host that the exchanges of all steps of a process share, as one runs at a time.</summary>
internal sealed class ExchangeSpace
{
    private readonly List<float[]> _arrays = [];

    /// <summary>The space of a team.</summary>
    public static ExchangeSpace Of(RankTeam team)
    {
        if (!team.Brought.TryGetValue(typeof(ExchangeSpace), out object? found))
            team.Brought.Add(typeof(ExchangeSpace), found = new ExchangeSpace());
        return (ExchangeSpace)found;
    }

    /// <summary>Changes when an array was replaced by a longer one, so that addresses of it no longer hold.</summary>
    public int Version { get; private set; }

    /// <summary>An array as long as asked for or longer, which the garbage collector does not move.</summary>
    /// <param name="number">Which of them.</param>
    /// <param name="length">Values.</param>
    public float[] Take(int number, int length)
    {
        while (_arrays.Count <= number)
            _arrays.Add([]);
        if (_arrays[number].Length < length)
        {
            _arrays[number] = GC.AllocateArray<float>(length, pinned: true);
            Version++;
        }
        return _arrays[number];
    }
}
