namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>A number that the JIT knows: a type argument that fixes how many accumulators a kernel keeps, so that one
/// source serves every tile and the branches on it vanish.</summary>
internal interface ICount
{
    /// <summary>The number.</summary>
    static abstract int Value { get; }
}

/// <summary>1.</summary>
internal readonly struct One : ICount
{
    public static int Value => 1;
}

/// <summary>2.</summary>
internal readonly struct Two : ICount
{
    public static int Value => 2;
}

/// <summary>3.</summary>
internal readonly struct Three : ICount
{
    public static int Value => 3;
}

/// <summary>4.</summary>
internal readonly struct Four : ICount
{
    public static int Value => 4;
}

/// <summary>5.</summary>
internal readonly struct Five : ICount
{
    public static int Value => 5;
}

/// <summary>6.</summary>
internal readonly struct Six : ICount
{
    public static int Value => 6;
}

/// <summary>7.</summary>
internal readonly struct Seven : ICount
{
    public static int Value => 7;
}

/// <summary>8.</summary>
internal readonly struct Eight : ICount
{
    public static int Value => 8;
}

/// <summary>14.</summary>
internal readonly struct Fourteen : ICount
{
    public static int Value => 14;
}

/// <summary>16.</summary>
internal readonly struct Sixteen : ICount
{
    public static int Value => 16;
}
