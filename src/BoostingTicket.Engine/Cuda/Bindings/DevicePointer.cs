namespace BoostingTicket.Engine.Cuda.Bindings;

/// <summary>An address in a GPU's memory.</summary>
/// <param name="Address">The address; 0 for none.</param>
internal readonly record struct DevicePointer(ulong Address)
{
    /// <summary>No memory.</summary>
    public static DevicePointer Null => default;

    /// <summary>Whether there is no memory.</summary>
    public bool IsNull => Address == 0;

    /// <summary>The address <paramref name="bytes"/> further on.</summary>
    public static DevicePointer operator +(DevicePointer pointer, long bytes) => new(pointer.Address + (ulong)bytes);

    /// <inheritdoc/>
    public override string ToString() => $"0x{Address:x}";
}
