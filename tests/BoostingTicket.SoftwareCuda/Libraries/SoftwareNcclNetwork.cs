using System.Collections.Concurrent;

namespace BoostingTicket.SoftwareCuda.Libraries;

/// <summary>What joins the software NCCLs of several devices, which may be used by threads of their own.</summary>
internal sealed class SoftwareNcclNetwork
{
    private readonly ConcurrentDictionary<string, Meeting> _meetings = new();

    /// <summary>Processes that meet by an id.</summary>
    /// <param name="id">The id.</param>
    /// <param name="ranks">How many there will be.</param>
    public Meeting Meet(byte[] id, int ranks) => _meetings.GetOrAdd(Convert.ToHexString(id), _ => new Meeting(ranks));

    /// <summary>A communicator as all processes share it.</summary>
    /// <param name="ranks">Processes.</param>
    public sealed class Meeting(int ranks)
    {
        private readonly ConcurrentDictionary<(int From, int To), ConcurrentQueue<byte[]>> _lines = new();
        private readonly ConcurrentDictionary<int, bool> _joined = new();

        /// <summary>Processes.</summary>
        public int Ranks => ranks;

        /// <summary>Whether all have come.</summary>
        public bool IsComplete => _joined.Count == ranks;

        /// <summary>A process comes.</summary>
        /// <returns>False where it is there already.</returns>
        public bool Join(int rank) => _joined.TryAdd(rank, true);

        /// <summary>What one process has sent another one.</summary>
        public ConcurrentQueue<byte[]> Line(int from, int to) => _lines.GetOrAdd((from, to), _ => new ConcurrentQueue<byte[]>());
    }
}
