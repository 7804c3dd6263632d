using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace BoostingTicket.Engine.Cpu;

/// <summary>The layout's one constant. Sixteen images lie side by side in the lanes of a vector (one AVX-512 register, two
/// AVX2 registers): every value of a feature map is followed by the same value of the next image.</summary>
internal static class Layout
{
    /// <summary>Images in a block.</summary>
    public const int Lanes = 16;
}

/// <summary>The vector instructions that kernels are written in, so that each is written once. A vector holds
/// <see cref="Width"/> of a block's <see cref="Layout.Lanes"/> images; kernels run once for each group of lanes.
/// Implementations are empty structs: the JIT specialises and inlines every call.</summary>
internal unsafe interface ILanes<TVector>
    where TVector : struct
{
    /// <summary>float32 values in a vector; divides <see cref="Layout.Lanes"/>.</summary>
    static abstract int Width { get; }

    /// <summary>Whether 32 vector registers are at hand (16 otherwise): decides how many accumulators a kernel keeps.</summary>
    static abstract bool HasManyRegisters { get; }

    static abstract TVector Zero { get; }
    static abstract TVector Load(float* source);
    static abstract void Store(float* destination, TVector value);

    /// <summary>Stores past the caches, to an address aligned to the vector's size; other threads see it after a fence.</summary>
    static abstract void StoreStreaming(float* destination, TVector value);

    /// <summary>The value at <paramref name="source"/> in every lane.</summary>
    static abstract TVector Broadcast(float* source);

    /// <summary>The value in every lane.</summary>
    static abstract TVector Create(float value);

    /// <summary><c>a * b + c</c>, rounded once.</summary>
    static abstract TVector MultiplyAdd(TVector a, TVector b, TVector c);

    static abstract TVector Add(TVector a, TVector b);
    static abstract TVector Subtract(TVector a, TVector b);
    static abstract TVector Multiply(TVector a, TVector b);
    static abstract TVector Divide(TVector a, TVector b);
    static abstract TVector Min(TVector a, TVector b);
    static abstract TVector Max(TVector a, TVector b);

    /// <summary><c>condition &gt; 0 ? value : 0</c>, lane by lane.</summary>
    static abstract TVector WherePositive(TVector condition, TVector value);

    /// <summary><c>a == b ? value : other</c>, lane by lane.</summary>
    static abstract TVector WhereEqual(TVector a, TVector b, TVector value, TVector other);

    /// <summary>-1, 0 or 1; 0 for zero and for NaN.</summary>
    static abstract TVector Sign(TVector value);

    /// <summary>e to the power of each lane, to one unit in the last place; infinite where that is too large.</summary>
    static abstract TVector Exp(TVector value);

    /// <summary>Sum of the lanes, in a fixed order.</summary>
    static abstract float Sum(TVector value);

    /// <summary>The sums of the lanes of four vectors, each in the same fixed order.</summary>
    static abstract Vector128<float> Sums(TVector a, TVector b, TVector c, TVector d);
}

/// <summary>512-bit vectors.</summary>
internal readonly unsafe struct Avx512Lanes : ILanes<Vector512<float>>
{
    public static int Width => 16;
    public static bool HasManyRegisters => true;
    public static Vector512<float> Zero => Vector512<float>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* destination, Vector512<float> value) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreStreaming(float* destination, Vector512<float> value) =>
        Avx512F.StoreAlignedNonTemporal(destination, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Broadcast(float* source) => Vector512.Create(*source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Create(float value) => Vector512.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> c) =>
        Avx512F.FusedMultiplyAdd(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Add(Vector512<float> a, Vector512<float> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Subtract(Vector512<float> a, Vector512<float> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Multiply(Vector512<float> a, Vector512<float> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Divide(Vector512<float> a, Vector512<float> b) => a / b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Min(Vector512<float> a, Vector512<float> b) => Avx512F.Min(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Max(Vector512<float> a, Vector512<float> b) => Avx512F.Max(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> WherePositive(Vector512<float> condition, Vector512<float> value) =>
        Vector512.ConditionalSelect(Vector512.GreaterThan(condition, Vector512<float>.Zero), value, Vector512<float>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> WhereEqual(
        Vector512<float> a, Vector512<float> b, Vector512<float> value, Vector512<float> other) =>
        Vector512.ConditionalSelect(Vector512.Equals(a, b), value, other);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Sign(Vector512<float> value) =>
        WherePositive(value, Vector512<float>.One) - WherePositive(-value, Vector512<float>.One);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> value) => Vector512.Exp(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector512<float> value) => Avx2Lanes.Sum(value.GetLower() + value.GetUpper());

    // Pairs of lanes of two vectors, then of four, then the quarters.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Sums(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d)
    {
        Vector512<double> ab = (Avx512F.UnpackLow(a, b) + Avx512F.UnpackHigh(a, b)).AsDouble();
        Vector512<double> cd = (Avx512F.UnpackLow(c, d) + Avx512F.UnpackHigh(c, d)).AsDouble();
        Vector512<float> all = Avx512F.UnpackLow(ab, cd).AsSingle() + Avx512F.UnpackHigh(ab, cd).AsSingle();
        Vector256<float> half = all.GetLower() + all.GetUpper();
        return half.GetLower() + half.GetUpper();
    }
}

/// <summary>256-bit vectors with fused multiply-add.</summary>
internal readonly unsafe struct Avx2Lanes : ILanes<Vector256<float>>
{
    public static int Width => 8;
    public static bool HasManyRegisters => false;
    public static Vector256<float> Zero => Vector256<float>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(float* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* destination, Vector256<float> value) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreStreaming(float* destination, Vector256<float> value) =>
        Avx.StoreAlignedNonTemporal(destination, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Broadcast(float* source) => Vector256.Create(*source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Create(float value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) =>
        Fma.MultiplyAdd(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Add(Vector256<float> a, Vector256<float> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Subtract(Vector256<float> a, Vector256<float> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Multiply(Vector256<float> a, Vector256<float> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Divide(Vector256<float> a, Vector256<float> b) => a / b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Min(Vector256<float> a, Vector256<float> b) => Avx.Min(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Max(Vector256<float> a, Vector256<float> b) => Avx.Max(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> WherePositive(Vector256<float> condition, Vector256<float> value) =>
        Vector256.GreaterThan(condition, Vector256<float>.Zero) & value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> WhereEqual(
        Vector256<float> a, Vector256<float> b, Vector256<float> value, Vector256<float> other) =>
        Vector256.ConditionalSelect(Vector256.Equals(a, b), value, other);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Sign(Vector256<float> value) =>
        WherePositive(value, Vector256<float>.One) - WherePositive(-value, Vector256<float>.One);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Exp(Vector256<float> value) => Vector256.Exp(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector256<float> value)
    {
        Vector128<float> half = value.GetLower() + value.GetUpper();
        return half[0] + half[1] + (half[2] + half[3]);
    }

    // Pairs of lanes of two vectors, then of four, then the halves.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Sums(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d)
    {
        Vector256<double> ab = (Avx.UnpackLow(a, b) + Avx.UnpackHigh(a, b)).AsDouble();
        Vector256<double> cd = (Avx.UnpackLow(c, d) + Avx.UnpackHigh(c, d)).AsDouble();
        Vector256<float> all = Avx.UnpackLow(ab, cd).AsSingle() + Avx.UnpackHigh(ab, cd).AsSingle();
        return all.GetLower() + all.GetUpper();
    }
}

/// <summary><c>Vector&lt;T&gt;</c>: whatever the machine has, up to 512 bits.</summary>
internal readonly unsafe struct PortableLanes : ILanes<Vector<float>>
{
    public static int Width => Vector<float>.Count;
    public static bool HasManyRegisters => System.Runtime.Intrinsics.Arm.AdvSimd.IsSupported;
    public static Vector<float> Zero => Vector<float>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Load(float* source) => Vector.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* destination, Vector<float> value) => Vector.Store(value, destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreStreaming(float* destination, Vector<float> value) =>
        Vector.StoreAlignedNonTemporal(value, destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Broadcast(float* source) => Vector.Create(*source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Create(float value) => Vector.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> MultiplyAdd(Vector<float> a, Vector<float> b, Vector<float> c) =>
        Vector.FusedMultiplyAdd(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Add(Vector<float> a, Vector<float> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Subtract(Vector<float> a, Vector<float> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Multiply(Vector<float> a, Vector<float> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Divide(Vector<float> a, Vector<float> b) => a / b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Min(Vector<float> a, Vector<float> b) => Vector.MinNative(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Max(Vector<float> a, Vector<float> b) => Vector.MaxNative(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> WherePositive(Vector<float> condition, Vector<float> value) =>
        Vector.ConditionalSelect(Vector.GreaterThan(condition, Vector<float>.Zero), value, Vector<float>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> WhereEqual(Vector<float> a, Vector<float> b, Vector<float> value, Vector<float> other) =>
        Vector.ConditionalSelect(Vector.Equals(a, b), value, other);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Sign(Vector<float> value) =>
        WherePositive(value, Vector<float>.One) - WherePositive(-value, Vector<float>.One);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Exp(Vector<float> value) => Vector.Exp(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector<float> value) => Vector.Sum(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Sums(Vector<float> a, Vector<float> b, Vector<float> c, Vector<float> d) =>
        Vector128.Create(Vector.Sum(a), Vector.Sum(b), Vector.Sum(c), Vector.Sum(d));
}
