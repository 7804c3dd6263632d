namespace BoostingTicket.Engine.Plans;

/// <summary>Places the values of a plan in one arena: values whose spans of operations overlap get disjoint memory, others
/// may share. Largest first, each at the lowest offset that is free for its whole span.</summary>
internal static class MemoryLayout
{
    /// <summary>Offsets for the values and the bytes that they need together.</summary>
    public static (Dictionary<PlanValue, long> Offsets, long Bytes) Place(IEnumerable<PlanValue> values, int alignment)
    {
        var offsets = new Dictionary<PlanValue, long>();
        var placed = new List<(PlanValue Value, long Start, long End)>();
        long total = 0;
        foreach (PlanValue value in values.Where(value => value.LastUse >= 0)
            .OrderByDescending(value => value.Tensor.Bytes).ThenBy(value => value.FirstUse))
        {
            long start = 0;
            foreach ((PlanValue other, long otherStart, long otherEnd) in placed)
            {
                bool livesTogether = other.FirstUse <= value.LastUse && value.FirstUse <= other.LastUse;
                if (livesTogether && otherStart < start + value.Tensor.Bytes && start < otherEnd)
                    start = (otherEnd + alignment - 1) / alignment * alignment;
            }
            long end = start + value.Tensor.Bytes;
            int position = placed.FindIndex(item => item.Start > start);
            placed.Insert(position < 0 ? placed.Count : position, (value, start, end));
            offsets.Add(value, start);
            total = Math.Max(total, end);
        }
        return (offsets, total);
    }

    /// <summary>Notes in each value the first and last operation that uses it.</summary>
    /// <param name="operations">All operations in running order.</param>
    public static void FindSpans(IReadOnlyList<PlanOperation> operations)
    {
        for (int index = 0; index < operations.Count; index++)
        {
            foreach (PlanValue value in operations[index].Reads.Concat(operations[index].Writes))
            {
                value.FirstUse = Math.Min(value.FirstUse, index);
                value.LastUse = Math.Max(value.LastUse, index);
            }
        }
    }
}
