using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace BoostingTicket.SoftwareCuda.Libraries;

/// <summary>The handles and descriptors that a library gave out. No number is given out twice, so that one used after it was
/// destroyed is told from one that never was.</summary>
internal sealed class HandleTable
{
    private const int Spacing = 16;

    private readonly Dictionary<nint, object> _alive = [];
    private readonly nint _first;
    private nint _next;

    /// <summary>A table whose numbers begin at <paramref name="first"/>, positive and far from other libraries'
    /// numbers.</summary>
    public HandleTable(nint first)
    {
        _first = first;
        _next = first;
    }

    /// <summary>What was not destroyed, in the order of creation.</summary>
    public IReadOnlyList<string> Leaks =>
        [.. _alive.OrderBy(pair => pair.Key).Select(pair => string.Create(
            CultureInfo.InvariantCulture, $"0x{pair.Key:x} ({pair.Value})"))];

    /// <summary>A new handle.</summary>
    public nint Add(object described)
    {
        nint handle = _next;
        _next += Spacing;
        _alive.Add(handle, described);
        return handle;
    }

    /// <summary>What a handle stands for.</summary>
    /// <param name="handle">The handle.</param>
    /// <param name="described">What it stands for.</param>
    /// <param name="problem">Why there is no such thing.</param>
    public bool TryGet<T>(nint handle, [NotNullWhen(true)] out T? described, out string problem)
        where T : class
    {
        described = null;
        problem = "";
        if (_alive.TryGetValue(handle, out object? found))
        {
            described = found as T;
            if (described is null)
                problem = string.Create(CultureInfo.InvariantCulture, $"0x{handle:x} is {found}");
        }
        else
        {
            problem = string.Create(
                CultureInfo.InvariantCulture,
                $"{(handle == 0
                    ? "it is null"
                    : $"0x{handle:x} {(handle >= _first && handle < _next ? "was destroyed" : "is unknown")}")}");
        }

        return described is not null;
    }

    /// <summary>Forgets a handle.</summary>
    public void Remove(nint handle) => _alive.Remove(handle);
}
