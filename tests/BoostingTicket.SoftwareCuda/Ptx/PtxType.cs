namespace BoostingTicket.SoftwareCuda.Ptx;

/// <summary>What the bits of a PTX type mean.</summary>
internal enum PtxKind
{
    /// <summary>Nothing in particular (.b32).</summary>
    Bits,

    /// <summary>An integer without sign.</summary>
    Unsigned,

    /// <summary>An integer in two's complement.</summary>
    Signed,

    /// <summary>An IEEE number (or bfloat16).</summary>
    Float,

    /// <summary>True or false.</summary>
    Predicate,
}

/// <summary>A fundamental type of PTX.</summary>
/// <param name="Name">Without its dot.</param>
/// <param name="Kind">Meaning.</param>
/// <param name="Bits">Width; 1 for a predicate.</param>
internal sealed record PtxType(string Name, PtxKind Kind, int Bits)
{
    private static readonly Dictionary<string, PtxType> ByName = new PtxType[]
    {
        new("b8", PtxKind.Bits, 8), new("b16", PtxKind.Bits, 16), new("b32", PtxKind.Bits, 32), new("b64", PtxKind.Bits, 64),
        new("u8", PtxKind.Unsigned, 8), new("u16", PtxKind.Unsigned, 16), new("u32", PtxKind.Unsigned, 32),
        new("u64", PtxKind.Unsigned, 64), new("s8", PtxKind.Signed, 8), new("s16", PtxKind.Signed, 16),
        new("s32", PtxKind.Signed, 32), new("s64", PtxKind.Signed, 64), new("f16", PtxKind.Float, 16),
        new("bf16", PtxKind.Float, 16), new("f32", PtxKind.Float, 32), new("f64", PtxKind.Float, 64),
        new("pred", PtxKind.Predicate, 1),
    }.ToDictionary(type => type.Name, StringComparer.Ordinal);

    /// <summary>float32.</summary>
    public static PtxType F32 => ByName["f32"];

    /// <summary>float64.</summary>
    public static PtxType F64 => ByName["f64"];

    /// <summary>Unsigned, 32 bits.</summary>
    public static PtxType U32 => ByName["u32"];

    /// <summary>Unsigned, 64 bits.</summary>
    public static PtxType U64 => ByName["u64"];

    /// <summary>Truth.</summary>
    public static PtxType Predicate => ByName["pred"];

    /// <summary>Bytes in memory.</summary>
    public int Bytes => Bits / 8;

    /// <summary>Whether it is an integer with a sign.</summary>
    public bool IsSigned => Kind == PtxKind.Signed;

    /// <summary>Whether it is a number with a fraction.</summary>
    public bool IsFloat => Kind == PtxKind.Float;

    /// <summary>The value's bits that count.</summary>
    public ulong Mask => Bits == 64 ? ulong.MaxValue : (1UL << Bits) - 1;

    /// <summary>The type of a name without its dot; null when there is none.</summary>
    public static PtxType? Find(string name) => ByName.GetValueOrDefault(name);
}
