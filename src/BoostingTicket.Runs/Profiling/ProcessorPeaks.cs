using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace BoostingTicket.Runs.Profiling;

/// <summary>Measures what the processor can do at best: multiply-adds on registers alone, and a copy through memory, on all
/// threads at once.</summary>
internal static unsafe class ProcessorPeaks
{
    private const int Slices = 7;
    private const int MultiplyAddRounds = 1 << 21;
    private const nuint CopyBytes = 64 << 20;
    // Enough for a latency of five cycles on two units; so many fit into the registers of every instruction set.
    private const int Accumulators = 12;

    /// <summary>Measures; takes about half a second.</summary>
    /// <param name="threads">Threads; 0 for one a processor.</param>
    public static MachinePeaks Measure(int threads)
    {
        threads = threads == 0 ? Environment.ProcessorCount : threads;
        int width = Vector512.IsHardwareAccelerated ? Vector512<float>.Count
            : Vector256.IsHardwareAccelerated ? Vector256<float>.Count
            : Vector<float>.Count;
        Func<int, float> multiplyAdd = Vector512.IsHardwareAccelerated ? MultiplyAdd512
            : Vector256.IsHardwareAccelerated ? MultiplyAdd256
            : MultiplyAddPortable;
        double arithmeticSeconds = OnAllThreads(threads, () => new MultiplyAddLoop(multiplyAdd));
        double copySeconds = OnAllThreads(threads, () => new CopyLoop());
        return new MachinePeaks(
            2.0 * width * Accumulators * MultiplyAddRounds * threads / arithmeticSeconds, 2.0 * CopyBytes * threads / copySeconds,
            string.Create(
                CultureInfo.InvariantCulture,
                $"multiply-adds in {width * 32} bit registers, copies of {CopyBytes >> 20} MiB, {threads} "
                + $"thread{(threads == 1 ? "" : "s")}"));
    }

    // The least of several times in which every thread does its work once, all starting together.
    private static double OnAllThreads(int threads, Func<Loop> create)
    {
        var loops = new Loop[threads];
        try
        {
            for (int i = 0; i < threads; i++)
                loops[i] = create();
            double least = double.PositiveInfinity;
            using var barrier = new Barrier(threads);
            var others = new Thread[threads - 1];
            for (int i = 0; i < others.Length; i++)
            {
                Loop loop = loops[i + 1];
                others[i] = new Thread(() => Repeat(loop, barrier, _ => { })) { IsBackground = true };
                others[i].Start();
            }
            Repeat(loops[0], barrier, seconds => least = Math.Min(least, seconds));
            foreach (Thread thread in others)
                thread.Join();
            return least;
        }
        finally
        {
            foreach (Loop? loop in loops)
                loop?.Dispose();
        }
    }

    private static void Repeat(Loop loop, Barrier barrier, Action<double> done)
    {
        for (int slice = 0; slice < Slices; slice++)
        {
            barrier.SignalAndWait();
            long start = Stopwatch.GetTimestamp();
            loop.Run();
            barrier.SignalAndWait();
            done(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float MultiplyAdd512(int rounds)
    {
        Vector512<float> a = Vector512.Create(0.999f), b = Vector512.Create(0.001f);
        Vector512<float> c0 = b, c1 = b, c2 = b, c3 = b, c4 = b, c5 = b, c6 = b, c7 = b, c8 = b, c9 = b, c10 = b, c11 = b;
        for (int i = 0; i < rounds; i++)
        {
            c0 = Vector512.FusedMultiplyAdd(c0, a, b);
            c1 = Vector512.FusedMultiplyAdd(c1, a, b);
            c2 = Vector512.FusedMultiplyAdd(c2, a, b);
            c3 = Vector512.FusedMultiplyAdd(c3, a, b);
            c4 = Vector512.FusedMultiplyAdd(c4, a, b);
            c5 = Vector512.FusedMultiplyAdd(c5, a, b);
            c6 = Vector512.FusedMultiplyAdd(c6, a, b);
            c7 = Vector512.FusedMultiplyAdd(c7, a, b);
            c8 = Vector512.FusedMultiplyAdd(c8, a, b);
            c9 = Vector512.FusedMultiplyAdd(c9, a, b);
            c10 = Vector512.FusedMultiplyAdd(c10, a, b);
            c11 = Vector512.FusedMultiplyAdd(c11, a, b);
        }
        return Vector512.Sum(c0 + c1 + c2 + c3 + (c4 + c5 + c6 + c7) + (c8 + c9 + c10 + c11));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float MultiplyAdd256(int rounds)
    {
        Vector256<float> a = Vector256.Create(0.999f), b = Vector256.Create(0.001f);
        Vector256<float> c0 = b, c1 = b, c2 = b, c3 = b, c4 = b, c5 = b, c6 = b, c7 = b, c8 = b, c9 = b, c10 = b, c11 = b;
        for (int i = 0; i < rounds; i++)
        {
            c0 = Vector256.FusedMultiplyAdd(c0, a, b);
            c1 = Vector256.FusedMultiplyAdd(c1, a, b);
            c2 = Vector256.FusedMultiplyAdd(c2, a, b);
            c3 = Vector256.FusedMultiplyAdd(c3, a, b);
            c4 = Vector256.FusedMultiplyAdd(c4, a, b);
            c5 = Vector256.FusedMultiplyAdd(c5, a, b);
            c6 = Vector256.FusedMultiplyAdd(c6, a, b);
            c7 = Vector256.FusedMultiplyAdd(c7, a, b);
            c8 = Vector256.FusedMultiplyAdd(c8, a, b);
            c9 = Vector256.FusedMultiplyAdd(c9, a, b);
            c10 = Vector256.FusedMultiplyAdd(c10, a, b);
            c11 = Vector256.FusedMultiplyAdd(c11, a, b);
        }
        return Vector256.Sum(c0 + c1 + c2 + c3 + (c4 + c5 + c6 + c7) + (c8 + c9 + c10 + c11));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float MultiplyAddPortable(int rounds)
    {
        var a = new Vector<float>(0.999f);
        var b = new Vector<float>(0.001f);
        Vector<float> c0 = b, c1 = b, c2 = b, c3 = b, c4 = b, c5 = b, c6 = b, c7 = b, c8 = b, c9 = b, c10 = b, c11 = b;
        for (int i = 0; i < rounds; i++)
        {
            c0 = Vector.FusedMultiplyAdd(c0, a, b);
            c1 = Vector.FusedMultiplyAdd(c1, a, b);
            c2 = Vector.FusedMultiplyAdd(c2, a, b);
            c3 = Vector.FusedMultiplyAdd(c3, a, b);
            c4 = Vector.FusedMultiplyAdd(c4, a, b);
            c5 = Vector.FusedMultiplyAdd(c5, a, b);
            c6 = Vector.FusedMultiplyAdd(c6, a, b);
            c7 = Vector.FusedMultiplyAdd(c7, a, b);
            c8 = Vector.FusedMultiplyAdd(c8, a, b);
            c9 = Vector.FusedMultiplyAdd(c9, a, b);
            c10 = Vector.FusedMultiplyAdd(c10, a, b);
            c11 = Vector.FusedMultiplyAdd(c11, a, b);
        }
        return Vector.Sum(c0 + c1 + c2 + c3 + (c4 + c5 + c6 + c7) + (c8 + c9 + c10 + c11));
    }

    private abstract class Loop : IDisposable
    {
        public abstract void Run();

        public abstract void Dispose();
    }

    private sealed class MultiplyAddLoop(Func<int, float> work) : Loop
    {
        // Kept, so that the loop is not dropped as without effect.
        private float _result;

        public override void Run() => Volatile.Write(ref _result, work(MultiplyAddRounds));

        public override void Dispose() { }
    }

    private sealed class CopyLoop : Loop
    {
        private readonly byte* _source = (byte*)NativeMemory.Alloc(CopyBytes);
        private readonly byte* _destination = (byte*)NativeMemory.Alloc(CopyBytes);

        public CopyLoop()
        {
            // Memory that nobody wrote is one and the same page of zeros, in a cache.
            NativeMemory.Fill(_source, CopyBytes, 1);
            NativeMemory.Fill(_destination, CopyBytes, 2);
        }

        public override void Run() => NativeMemory.Copy(_source, _destination, CopyBytes);

        public override void Dispose()
        {
            NativeMemory.Free(_source);
            NativeMemory.Free(_destination);
        }
    }
}
