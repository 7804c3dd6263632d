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
        int outputs = batch * shape.Output.Length, filter = shape.WeightCount / shape.OutputChannels;
        for (int output = 0; output < outputs; output++)
        {
            int column = output % shape.Output.Width, row = output / shape.Output.Width % shape.Output.Height;
            int channel = output / shape.Output.Pixels % shape.OutputChannels, sample = output / shape.Output.Length;
            for (int weight = 0; weight < filter; weight++)
            {
                int inputColumn = column * shape.Stride - shape.Padding + weight % shape.KernelWidth;
                int inputRow = row * shape.Stride - shape.Padding + weight / shape.KernelWidth % shape.KernelHeight;
                int inputChannel = sample * shape.Input.Channels + weight / (shape.KernelHeight * shape.KernelWidth);
                if (inputRow >= 0 && inputRow < shape.Input.Height && inputColumn >= 0 && inputColumn < shape.Input.Width)
                {
                    int input = (inputChannel * shape.Input.Height + inputRow) * shape.Input.Width + inputColumn;
                    product(input, channel * filter + weight, output);
                }
            }
        }
    }
}
