using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Cpu.BFloat16;
using BoostingTicket.Engine.Devices;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Tests.Cpu.BFloat16;

/// <summary>Where bfloat16 is taken, what the devices say of it, and what machine code lies in.</summary>
internal sealed unsafe class BFloat16ChoiceTests
{
    private static readonly ConvolutionShape Wide = new(new(256, 8, 8), 256, 3, 3, 1, 1);
    private static readonly ConvolutionShape Strided = new(new(64, 32, 32), 128, 3, 3, 2, 1);
    private static readonly ConvolutionShape First = new(new(3, 32, 32), 64, 3, 3, 1, 1);

    [Test]
    public void Tiles_take_wide_and_strided_layers_and_leave_images_in_float32()
    {
        RequireAvx512();
        BFloat16Prices prices = BFloat16Prices.Tiles;
        Assert.Multiple(() =>
        {
            Assert.That(Takes(prices, 2, Wide, FilterUses.Forward | FilterUses.Attack), Is.True);
            Assert.That(Takes(prices, 2, Strided, FilterUses.Forward | FilterUses.Attack), Is.True);
            Assert.That(Takes(prices, 2, First, FilterUses.Forward | FilterUses.Attack), Is.False);
            Assert.That(Takes(prices, 2, Wide, FilterUses.Forward), Is.False, "no attack");
            Assert.That(Takes(
                prices, 2, Wide, FilterUses.Forward | FilterUses.Attack, kept: 10), Is.False, "a filter that is nearly empty");
        });
    }

    [Test]
    public void Vectors_take_strided_layers_and_leave_Winograds()
    {
        RequireAvx512();
        BFloat16Prices prices = BFloat16Prices.Vectors;
        Assert.That(Takes(prices, 1, Strided, FilterUses.Forward | FilterUses.Attack), Is.True);
        Assert.That(Takes(prices, 1, Wide, FilterUses.Forward | FilterUses.Attack), Is.False);
    }

    [Test]
    public void The_device_computes_attacks_in_bfloat16_or_says_why_not()
    {
        using IBackend backend = DeviceCatalog.Open(
            DeviceCatalog.Select(DeviceCatalog.Cpu), new DeviceOptions(1, Precision.BFloat16), out string? notice);
        if (BFloat16Support.Kernels is { } kernels)
        {
            Assert.That((backend.Precision, notice), Is.EqualTo((Precision.BFloat16, (string?)null)));
            Assert.That(backend.Device.Description, Does.EndWith($"attacks in bfloat16 ({kernels.Name})"));
        }
        else
        {
            Assert.That(backend.Precision, Is.EqualTo(Precision.Float32));
            Assert.That(notice, Does.StartWith("Attacks are computed in float32 too, since ").And.EndWith("."));
        }
        Assert.That(DeviceCatalog.Probe(1)[0].Description, Does.Contain("bf16"));
    }

    [Test]
    public void Nothing_else_makes_the_processor_round()
    {
        using IBackend backend = DeviceCatalog.Open(DeviceCatalog.Select(DeviceCatalog.Cpu), new DeviceOptions(1));
        Assert.That((backend.Precision, backend.RoundsAttacksMore), Is.EqualTo((Precision.Float32, false)));
        Assert.That(
            () => DeviceCatalog.Open(DeviceCatalog.Select(DeviceCatalog.Cpu), new DeviceOptions(1, Precision.TensorFloat32)),
            Throws.TypeOf<DeviceException>().With.Message.Contains("float32 and bf16, not in tf32"));
    }

    [Test]
    [Platform("Linux")]
    public void Machine_code_is_executable_and_not_writable()
    {
        const byte Return = 0xc3;
        nint address = ExecutableMemory.Write([Return]);
        string line = File.ReadLines("/proc/self/maps").First(line =>
        {
            string[] ends = line.Split(' ')[0].Split('-');
            return (ulong)address >= Convert.ToUInt64(ends[0], 16) && (ulong)address < Convert.ToUInt64(ends[1], 16);
        });
        Assert.That(line.Split(' ')[1], Is.EqualTo("r-xp"));
    }

    // Not in Takes: NUnit refuses to ignore a test within Assert.Multiple.
    private static void RequireAvx512()
    {
        if (!InstructionSets.Available.Contains(InstructionSet.Avx512))
            Assert.Ignore("The prices are those of AVX-512, which this machine has not.");
    }

    private static bool Takes(BFloat16Prices prices, int groups, ConvolutionShape shape, FilterUses uses, int kept = int.MaxValue)
    {
        using IBackend backend = CpuBackend.Create(1, InstructionSet.Avx512, new Priced(prices, groups));
        using Filter filter = backend.CreateFilter(shape, uses);
        using FloatBuffer weights = backend.CreateFloats(shape.WeightCount), mask = backend.CreateFloats(shape.WeightCount);
        backend.Fill(new BufferSlice(mask, 0, Math.Min(kept, shape.WeightCount)), 1);
        BufferSlice? pattern = kept < shape.WeightCount ? mask.All : null;
        backend.PrepareFilter(filter, new FilterSource(weights.All, pattern, 1, null));
        return CpuFilter.Of(filter).Forward.GetType().Name.StartsWith("BFloat16", StringComparison.Ordinal);
    }

    private sealed class Priced(BFloat16Prices prices, int groups) : BFloat16Kernels
    {
        public override string Name => "priced";

        public override int MostGroups => groups;

        public override BFloat16Prices Prices => prices;

        public override int MostPixels(int of) => 4 / of;

        public override void Run(int of, int pixels, TileCall* call) => throw new NotSupportedException();
    }
}
