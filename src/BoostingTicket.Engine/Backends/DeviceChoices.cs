namespace BoostingTicket.Engine.Backends;

/// <summary>One piece of work and how it is done, for people.</summary>
/// <param name="Work">The work.</param>
/// <param name="Way">How it is done.</param>
/// <param name="Fused">Whether an epilogue goes with it in one call; null where that was not asked for.</param>
/// <param name="Accumulates">Whether it adds to its destination in one call; null where that was not asked for.</param>
/// <param name="Check">Whether its values were checked, and what was dropped.</param>
/// <param name="Milliseconds">What it took when it was measured; null when it was not.</param>
/// <param name="TeraOperationsPerSecond">Multiplications and additions in that time.</param>
internal sealed record ChosenWork(
    string Work, string Way, bool? Fused, bool? Accumulates, string Check, double? Milliseconds, double? TeraOperationsPerSecond);

/// <summary>
/// What a device chose by measurement: for each piece of work the way in which it is done, both in the device's own words. Two
/// ways of the same work may differ in the last bits, and which one is faster may be measured otherwise in another process. So
/// whoever wants the same bits in two processes keeps the choices of the first and gives them to the second. Safe for use from
/// several threads.
/// </summary>
/// <param name="device">The device with its libraries and settings; choices of one say nothing about another.</param>
internal sealed class DeviceChoices(string device)
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, string> _made = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _kept = new(StringComparer.Ordinal);
    private readonly List<string> _findings = [];

    /// <summary>Called after a choice was made, before a result of it reaches anybody: whoever keeps choices writes them down
    /// here. What it throws ends the operation.</summary>
    public Action? WhenChanged { get; set; }

    /// <summary>Called with one sentence when a way turned out to compute wrong values or to be refused; once for a
    /// sentence.</summary>
    public Action<string>? WhenFound { get; set; }

    /// <summary>Raised after <see cref="Restore"/>.</summary>
    internal event Action? Restored;

    /// <summary>The device with its libraries and settings.</summary>
    public string Device { get; } = device;

    /// <summary>Ways by work, of all work that was done so far.</summary>
    public IReadOnlyDictionary<string, string> Made
    {
        get
        {
            lock (_lock)
                return new SortedDictionary<string, string>(_made, StringComparer.Ordinal);
        }
    }

    /// <summary>All work that was done so far, with how it is done.</summary>
    public IReadOnlyList<ChosenWork> Works => ListWorks?.Invoke() ?? [];

    /// <summary>Lists <see cref="Works"/>.</summary>
    internal Func<IReadOnlyList<ChosenWork>>? ListWorks { get; set; }

    /// <summary>What was dropped and why, in the order in which it was found.</summary>
    public IReadOnlyList<string> Findings
    {
        get
        {
            lock (_lock)
                return [.. _findings];
        }
    }

    /// <summary>Gives the device choices of an earlier process. They hold from now on, also for work that was done in another way
    /// before, unless they turn out not to work. Words that the device does not know are passed over.</summary>
    /// <param name="choices">Ways by work, from <see cref="Made"/>.</param>
    public void Restore(IReadOnlyDictionary<string, string> choices)
    {
        ArgumentNullException.ThrowIfNull(choices);
        lock (_lock)
        {
            _kept.Clear();
            foreach ((string work, string way) in choices)
                _kept[work] = way;
        }
        Restored?.Invoke();
    }

    /// <summary>The way of a piece of work in an earlier process; null when there is none.</summary>
    internal string? Kept(string work)
    {
        lock (_lock)
            return _kept.GetValueOrDefault(work);
    }

    /// <summary>Notes a choice.</summary>
    internal void Add(string work, string way)
    {
        lock (_lock)
        {
            if (_made.TryGetValue(work, out string? before) && before == way)
                return;
            _made[work] = way;
        }
        WhenChanged?.Invoke();
    }

    /// <summary>Forgets a choice, which will be made anew.</summary>
    internal void Remove(string work)
    {
        lock (_lock)
            _made.Remove(work);
    }

    /// <summary>Says that something was dropped.</summary>
    /// <param name="finding">One sentence.</param>
    internal void Report(string finding)
    {
        lock (_lock)
        {
            if (_findings.Contains(finding))
                return;
            _findings.Add(finding);
        }
        WhenFound?.Invoke(finding);
    }
}
