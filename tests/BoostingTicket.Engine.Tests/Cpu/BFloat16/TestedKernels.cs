using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Cpu.BFloat16;

namespace BoostingTicket.Engine.Tests.Cpu.BFloat16;

/// <summary>Which kernels a test runs on.</summary>
internal enum Products
{
    /// <summary>Plain C#, everywhere.</summary>
    Emulated,

    /// <summary>AVX512-BF16.</summary>
    Vectors,

    /// <summary>AMX.</summary>
    Tiles,
}

/// <summary>Kernels for tests, at no price, so that every convolution of an attack takes them.</summary>
internal static class TestedKernels
{
    private static readonly Lazy<BFloat16Kernels> Vectors = new(() => new VectorKernels());
    private static readonly Lazy<BFloat16Kernels> Tiles = new(() => new TileKernels());

    /// <summary>The kernels; skips the test where the processor or the system lacks them.</summary>
    public static BFloat16Kernels Require(Products products)
    {
        switch (products)
        {
            case Products.Vectors:
                if (!OperatingSystem.IsLinux() || !ProcessorFeatures.HasVectorProducts)
                    Assert.Ignore("This machine has no AVX512-BF16, or no Linux to run emitted code on.");
                return Vectors.Value;
            case Products.Tiles:
                if (!ProcessorFeatures.HasTileProducts || !ProcessorFeatures.MayUseTiles())
                    Assert.Ignore("This machine has no AMX, or no Linux that permits it.");
                return Tiles.Value;
            default:
                return ManagedKernels.Instance;
        }
    }

    /// <summary>A backend whose attacks take the kernels in every convolution.</summary>
    public static IBackend Open(Products products, int threads, InstructionSet? instructionSet = null) =>
        CpuBackend.Create(threads, instructionSet, new FreeOfCharge(Require(products)));

    private sealed unsafe class FreeOfCharge(BFloat16Kernels inner) : BFloat16Kernels
    {
        public override string Name => inner.Name;

        public override int MostGroups => inner.MostGroups;

        public override BFloat16Prices Prices => default;

        public override int MostPixels(int groups) => inner.MostPixels(groups);

        public override void Begin(int groups, int rows, int pairs) => inner.Begin(groups, rows, pairs);

        public override void Run(int groups, int pixels, TileCall* call) => inner.Run(groups, pixels, call);

        public override void End() => inner.End();
    }
}
