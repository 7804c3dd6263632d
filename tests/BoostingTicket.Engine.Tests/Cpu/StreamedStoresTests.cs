using System.Numerics;
using System.Runtime.Intrinsics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Cpu.BFloat16;
using BoostingTicket.Engine.Cpu.Kernels;
using static BoostingTicket.Engine.Tests.Cpu.ConvolutionTests;
using Function = BoostingTicket.Engine.Backends.Activation;

namespace BoostingTicket.Engine.Tests.Cpu;

/// <summary>Passes that store their results past the caches give the bits of those that do not.</summary>
[TestFixture(typeof(PortableLanes), typeof(Vector<float>))]
[TestFixture(typeof(Avx2Lanes), typeof(Vector256<float>))]
[TestFixture(typeof(Avx512Lanes), typeof(Vector512<float>))]
internal sealed unsafe class StreamedStoresTests<TLanes, TVector> : CpuFixture<TLanes, TVector>
    where TLanes : struct, ILanes<TVector>
    where TVector : struct
{
    private const int Batch = 37, Threads = 2;

    private static readonly ConvolutionShape Plain = new(new(10, 9, 11), 21, 3, 3, 1, 1);
    private static readonly ConvolutionShape Wide = new(new(6, 9, 11), 7, 5, 5, 1, 2);
    private static readonly ConvolutionShape Strided = new(new(10, 9, 12), 21, 3, 3, 2, 1);

    public enum Algorithm
    {
        Direct,
        DirectInChunks,
        Winograd,
        WideWinograd,
        Polyphase,
        Sparse,
        BFloat16,
    }

    [Test]
    public void The_results_are_the_same([Values] Algorithm algorithm, [Values] bool forward)
    {
        ConvolutionShape shape = algorithm switch
        {
            Algorithm.WideWinograd => Wide,
            Algorithm.Polyphase => Strided,
            Algorithm.DirectInChunks => new(new(700, 5, 5), 650, 3, 3, 1, 1),
            _ => Plain,
        };
        using var pool = new WorkerPool(Threads);
        using var scratch = new WorkerScratch(Threads);
        using ConvolutionPass pass = Create(algorithm, shape, forward, scratch);
        pass.Prepare(pool, CpuFloats.Of(Floats(Values(shape.WeightCount, 2)).All), null);
        CpuTensor source = Activation(Batch, pass.Source, Values(Batch * pass.Source.Length, 1));
        CpuTensor like = Activation(Batch, pass.Target, Values(Batch * pass.Target.Length, 3));
        float[] nothing = new float[Batch * pass.Target.Length];
        CpuTensor kept = Activation(Batch, pass.Target, nothing), streamed = Activation(Batch, pass.Target, nothing);
        float* shift = forward ? CpuFloats.Of(Floats(Values(pass.Target.Channels, 4)).All) : null;
        foreach (bool adds in new[] { false, true })
        {
            float* addend = adds ? like.Data : null;
            foreach (Function function in new[] { Function.None, Function.Relu, Function.Silu })
            {
                if (function == Function.None && !forward)
                    continue;
                float* through = forward ? null : like.Data;
                pass.Run(pool, source.Blocks, source.Data, kept.Data, new PassEpilogue(shift, addend, function, through));
                var epilogue = new PassEpilogue(shift, addend, function, through, streams: true);
                Assert.That(epilogue.Streams, Is.EqualTo(function != Function.Silu), "what comes later is read again");
                pass.Run(pool, source.Blocks, source.Data, streamed.Data, epilogue);
                float[] expected = Read(kept);
                Assert.That(
                    Read(streamed).AsSpan().SequenceEqual(expected), $"{function}, {(adds ? "an" : "no")} addend");
                Assert.That(expected.Max(), Is.GreaterThan(0));
            }
        }
    }

    // A tensor that one thread stores past the caches and four threads do not.
    [Test]
    public void A_backend_gives_the_same_bits_whether_its_threads_stream_or_not()
    {
        const int Images = 112;
        var shape = new ConvolutionShape(new(3, 32, 32), 16, 3, 3, 1, 1);
        CpuTensor x = Activation(Images, shape.Input, Values(Images * shape.Input.Length, 1));
        Assert.That(StreamedStores.Pay(Empty(Images, shape.Output).Bytes, 1));
        Assert.That(StreamedStores.Pay(Empty(Images, shape.Output).Bytes, 4), Is.False);
        float[] Compute(int threads)
        {
            CpuBackend<TLanes, TVector> backend = WithThreads(threads);
            CpuTensor y = Empty(Images, shape.Output);
            Filter filter = Owned(backend.CreateFilter(shape, FilterUses.Forward));
            backend.PrepareFilter(filter, new FilterSource(Floats(Values(shape.WeightCount, 2)).All, null, 0, null));
            backend.ConvolutionForward(filter, x, y, new ForwardEpilogue(null, null, Function.Relu));
            return Read(y);
        }
        Assert.That(Compute(1).AsSpan().SequenceEqual(Compute(4)), "bits");
    }

    private static ConvolutionPass Create(Algorithm algorithm, ConvolutionShape shape, bool forward, WorkerScratch scratch)
    {
        switch (algorithm)
        {
            case Algorithm.Winograd or Algorithm.WideWinograd:
                return new WinogradPass<TLanes, TVector>(shape, forward, scratch);
            case Algorithm.Polyphase:
                return new PolyphasePass<TLanes, TVector>(shape, forward, scratch);
            case Algorithm.Sparse:
                return new SparsePass<TLanes, TVector>(
                    shape, forward, null, ConvolutionPrices.Of(InstructionSet.Avx2), scratch);
            case Algorithm.BFloat16:
                if (typeof(TLanes) != typeof(Avx512Lanes))
                    Assert.Ignore("Attacks are computed in bfloat16 with AVX-512 only.");
                return new BFloat16Pass<TLanes, TVector>(shape, forward, ManagedKernels.Instance, scratch);
            default:
                return new DirectPass<TLanes, TVector>(shape, forward);
        }
    }
}
