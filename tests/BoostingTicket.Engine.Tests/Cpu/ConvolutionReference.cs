using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Tests.Cpu;

/// <summary>Convolutions as plain loops in double precision over logical NCHW arrays. Each result comes with the sum of the
/// magnitudes of its products, by which rounding errors are judged.</summary>
internal static class ConvolutionReference
{
    public static (double[] Value, double[] Magnitude) Forward(ConvolutionShape shape, int batch, float[] x, float[] w)
    {
        var sums = new Sums(batch * shape.Output.Length);
        Visit(shape, batch, new OutputSums(sums, x, w));
        return (sums.Value, sums.Magnitude);
    }

    public static (double[] Value, double[] Magnitude) BackwardInput(
        ConvolutionShape shape, int batch, float[] dy, float[] w)
    {
        var sums = new Sums(batch * shape.Input.Length);
        Visit(shape, batch, new InputSums(sums, dy, w));
        return (sums.Value, sums.Magnitude);
    }

    public static (double[] Value, double[] Magnitude) BackwardFilter(
        ConvolutionShape shape, int batch, float[] x, float[] dy)
    {
        var sums = new Sums(shape.WeightCount);
        Visit(shape, batch, new WeightSums(sums, x, dy));
        return (sums.Value, sums.Magnitude);
    }

    // A structure, so that the compiler makes loops of its own for each of the three.
    private static void Visit<TProducts>(ConvolutionShape shape, int batch, TProducts products)
        where TProducts : struct, IProducts
    {
        int filter = shape.WeightCount / shape.OutputChannels, output = 0;
        for (int sample = 0; sample < batch; sample++)
        for (int channel = 0; channel < shape.OutputChannels; channel++)
        for (int row = 0; row < shape.Output.Height; row++)
        for (int column = 0; column < shape.Output.Width; column++, output++)
        {
            int weight = channel * filter;
            for (int inputChannel = 0; inputChannel < shape.Input.Channels; inputChannel++)
            for (int tapRow = 0; tapRow < shape.KernelHeight; tapRow++)
            {
                int inputRow = row * shape.Stride - shape.Padding + tapRow;
                if (inputRow < 0 || inputRow >= shape.Input.Height)
                {
                    weight += shape.KernelWidth;
                    continue;
                }
                int line = ((sample * shape.Input.Channels + inputChannel) * shape.Input.Height + inputRow) * shape.Input.Width;
                for (int tap = 0; tap < shape.KernelWidth; tap++, weight++)
                {
                    int inputColumn = column * shape.Stride - shape.Padding + tap;
                    if (inputColumn >= 0 && inputColumn < shape.Input.Width)
                        products.Add(line + inputColumn, weight, output);
                }
            }
        }
    }

    private interface IProducts
    {
        /// <summary>Adds one product, of the elements with these indices.</summary>
        void Add(int input, int weight, int output);
    }

    private sealed class Sums(int length)
    {
        public double[] Value { get; } = new double[length];

        public double[] Magnitude { get; } = new double[length];

        public void Add(int index, double product)
        {
            Value[index] += product;
            Magnitude[index] += Math.Abs(product);
        }
    }

    private readonly struct OutputSums(Sums sums, float[] x, float[] w) : IProducts
    {
        public void Add(int input, int weight, int output) => sums.Add(output, (double)x[input] * w[weight]);
    }

    private readonly struct InputSums(Sums sums, float[] dy, float[] w) : IProducts
    {
        public void Add(int input, int weight, int output) => sums.Add(input, (double)dy[output] * w[weight]);
    }

    private readonly struct WeightSums(Sums sums, float[] x, float[] dy) : IProducts
    {
        public void Add(int input, int weight, int output) => sums.Add(weight, (double)x[input] * dy[output]);
    }
}
