using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Cuda.Kernels;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Tests.Cuda.Kernels;

internal sealed class ReductionKernelTests
{
    // One value; padding; one more than a block's rows; lanes without a vector; more chunks than a finishing block has rows.
    [TestCase(1, 1, 1, 1)]
    [TestCase(5, 3, 5, 7)]
    [TestCase(257, 4, 1, 1)]
    [TestCase(33, 17, 2, 3)]
    [TestCase(5, 500, 1, 1)]
    [TestCase(16, 128, 12, 12)]
    public void Channel_sums_are_those_of_double_precision(int batch, int channels, int height, int width)
    {
        foreach (ElementType type in Enum.GetValues<ElementType>())
        {
            var shape = new FeatureShape(channels, height, width);
            using var bench = new TensorBench($"channel sums {batch}x{shape} {type}");
            float[] values = bench.Normal(type, batch * shape.Length, mean: 0.25f);
            TensorView dy = bench.Tensor(type, batch, shape, values);
            DevicePointer sums = bench.Unwritten(channels);
            new ReductionKernels(bench.Library).ChannelSums(
                dy, bench.Scratch(ReductionKernels.ChannelSumsScratchBytes(dy)), sums);

            double[] expected = new double[channels];
            for (int i = 0; i < values.Length; i++)
                expected[i / shape.Pixels % channels] += values[i];
            TensorBench.AssertClose(bench.Read(sums, channels), expected, ElementType.Float32, $"{type} sums");
        }
    }
}
