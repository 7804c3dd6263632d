using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Cuda.Kernels;

namespace BoostingTicket.Engine.Cuda;

/// <summary>Lists of filters to be packed, in device memory. A list never changes, because recorded work holds its address; one
/// that is asked for again is found again.</summary>
internal sealed class FilterTables(CudaContext context, HostStaging staging) : IDisposable
{
    private readonly Dictionary<FilterWork[], DeviceBlock> _tables = new(new SameWorks());

    /// <summary>Where a list is; put there at its first use, which must not be recorded.</summary>
    public unsafe DevicePointer Find(FilterWork[] works)
    {
        if (_tables.TryGetValue(works, out DeviceBlock? table))
            return table.Pointer;
        table = new DeviceBlock(context, (long)works.Length * sizeof(FilterWork), "the list of filters");
        _tables.Add(works, table);
        staging.Upload<FilterWork>(works, table.Pointer);
        return table.Pointer;
    }

    /// <summary>Frees the lists that hold a filter whose memory goes.</summary>
    public void Forget(DevicePointer packed)
    {
        foreach (FilterWork[] works in _tables.Keys.Where(works => works.Any(work => work.Packed == packed)).ToArray())
        {
            _tables.Remove(works, out DeviceBlock? table);
            table!.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (DeviceBlock table in _tables.Values)
            table.Dispose();
        _tables.Clear();
    }

    private sealed class SameWorks : IEqualityComparer<FilterWork[]>
    {
        public bool Equals(FilterWork[]? x, FilterWork[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(FilterWork[] works) => HashCode.Combine(works.Length, works[0], works[^1]);
    }
}
