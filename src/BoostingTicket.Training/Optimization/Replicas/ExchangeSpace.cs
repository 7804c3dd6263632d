using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Ranks;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Optimization.Replicas;

/// <summary>Memory of the device that the exchanges of all steps of a process share, as one runs at a time. The last one that
/// leaves frees it.</summary>
internal sealed class ExchangeSpace
{
    private readonly RankTeam _team;
    private readonly IBackend _backend;
    private readonly List<FloatBuffer?> _buffers = [];
    private int _users;

    private ExchangeSpace(RankTeam team, IBackend backend) => (_team, _backend) = (team, backend);

    /// <summary>Changes when a buffer was replaced by a longer one, so that slices of it no longer hold.</summary>
    public int Version { get; private set; }

    /// <summary>Enters the space of a team.</summary>
    /// <param name="team">The processes.</param>
    /// <param name="backend">This process's device.</param>
    public static ExchangeSpace Enter(RankTeam team, IBackend backend)
    {
        if (!team.Brought.TryGetValue(typeof(ExchangeSpace), out object? found))
            team.Brought.Add(typeof(ExchangeSpace), found = new ExchangeSpace(team, backend));
        var space = (ExchangeSpace)found;
        space._users++;
        return space;
    }

    /// <summary>A place as long as asked for.</summary>
    /// <param name="number">Which of them.</param>
    /// <param name="length">Values.</param>
    public BufferSlice Take(int number, int length)
    {
        while (_buffers.Count <= number)
            _buffers.Add(null);
        if (_buffers[number] is not { } buffer || buffer.Length < length)
        {
            _buffers[number]?.Dispose();
            _buffers[number] = buffer = _backend.CreateFloats(length);
            Version++;
        }
        return new BufferSlice(buffer, 0, length);
    }

    /// <summary>Leaves it.</summary>
    public void Leave()
    {
        if (--_users > 0)
            return;
        foreach (FloatBuffer? buffer in _buffers)
            buffer?.Dispose();
        _buffers.Clear();
        if (_team.Brought.TryGetValue(typeof(ExchangeSpace), out object? found) && found == this)
            _team.Brought.Remove(typeof(ExchangeSpace));
    }
}
