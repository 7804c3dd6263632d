using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Tests.Cpu;

/// <summary>Convolutions as plain loops in double precision over logical NCHW arrays. Each result comes with the sum of the
/// magnitudes of its products, by which rounding errors are judged.</summary>
internal static class ConvolutionReference
{
    public static (double[] Value, double[] Magnitude) Forward(ConvolutionShape shape, int batch, float[] x, float[] w)
    {
        var result = (Value: new double[batch * shape.Output.Length], Magnitude: new double[batch * shape.Output.Length]);
        Visit(shape, batch, (xi, wi, yi) => Add(result, yi, (double)x[xi] * w[wi]));
        return result;
    }

    public static (double[] Value, double[] Magnitude) BackwardInput(
        ConvolutionShape shape, int batch, float[] dy, float[] w)
    {
        var result = (Value: new double[batch * shape.Input.Length], Magnitude: new double[batch * shape.Input.Length]);
        Visit(shape, batch, (xi, wi, yi) => Add(result, xi, (double)dy[yi] * w[wi]));
        return result;
    }

    public static (double[] Value, double[] Magnitude) BackwardFilter(
        ConvolutionShape shape, int batch, float[] x, float[] dy)
    {
        var result = (Value: new double[shape.WeightCount], Magnitude: new double[shape.WeightCount]);
        Visit(shape, batch, (xi, wi, yi) => Add(result, wi, (double)x[xi] * dy[yi]));
        return result;
    }

    private static void Add((double[] Value, double[] Magnitude) result, int index, double product)
    {
        result.Value[index] += product;
        result.Magnitude[index] += Math.Abs(product);
    }

    private static void Visit(ConvolutionShape shape, int batch, Action<int, int, int> product)
    {
        var (channels, height, width) = shape.Input;
        var (filters, outputHeight, outputWidth) = shape.Output;
        for (int sample = 0; sample < batch; sample++)
        for (int filter = 0; filter < filters; filter++)
        for (int row = 0; row < outputHeight; row++)
        for (int column = 0; column < outputWidth; column++)
        for (int channel = 0; channel < channels; channel++)
        for (int kernelRow = 0; kernelRow < shape.KernelHeight; kernelRow++)
        for (int kernelColumn = 0; kernelColumn < shape.KernelWidth; kernelColumn++)
        {
            int inputRow = row * shape.Stride - shape.Padding + kernelRow;
            int inputColumn = column * shape.Stride - shape.Padding + kernelColumn;
            if (inputRow < 0 || inputRow >= height || inputColumn < 0 || inputColumn >= width)
                continue;
            product(
                ((sample * channels + channel) * height + inputRow) * width + inputColumn,
                ((filter * channels + channel) * shape.KernelHeight + kernelRow) * shape.KernelWidth + kernelColumn,
                ((sample * filters + filter) * outputHeight + row) * outputWidth + column);
        }
    }
}
