using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Cpu.Kernels;

/// <summary>Which inputs each output of a convolution reads, along one axis: only those that exist, so zeros of the padding
/// (and, in an input gradient, zeros between strided outputs) are never multiplied.</summary>
internal sealed class AxisMap
{
    private AxisMap(int outputs, Func<int, IEnumerable<AxisTap>> taps)
    {
        Taps = [.. Enumerable.Range(0, outputs).Select(output => taps(output).ToArray())];
        var classes = new Dictionary<string, int>();
        Classes = new int[outputs];
        for (int output = 0; output < outputs; output++)
        {
            AxisTap[] read = Taps[output];
            string key = string.Join(';', read.Select(tap => $"{tap.Kernel},{tap.Input - read[0].Input}"));
            if (!classes.TryGetValue(key, out int number))
                classes.Add(key, number = classes.Count);
            Classes[output] = number;
        }
        ClassCount = classes.Count;
    }

    /// <summary>For each output the inputs it reads, from the first to the last; may be none.</summary>
    public AxisTap[][] Taps { get; }

    /// <summary>For each output the number of its class. Outputs of a class read with the same kernel indices at the same
    /// distances.</summary>
    public int[] Classes { get; }

    /// <summary>Classes.</summary>
    public int ClassCount { get; }

    /// <summary>A forward convolution: <c>input = output * stride - padding + kernel</c>.</summary>
    public static AxisMap Forward(int inputs, int outputs, int kernel, int stride, int padding) =>
        new(outputs, output => Enumerable.Range(0, kernel)
            .Select(k => new AxisTap(k, output * stride - padding + k))
            .Where(tap => tap.Input >= 0 && tap.Input < inputs));

    /// <summary>An input gradient: output and input change places.</summary>
    public static AxisMap BackwardInput(int inputs, int outputs, int kernel, int stride, int padding) =>
        new(inputs, input => Enumerable.Range(0, kernel)
            .Where(k => input + padding - k >= 0 && (input + padding - k) % stride == 0)
            .Select(k => new AxisTap(k, (input + padding - k) / stride))
            .Where(tap => tap.Input < outputs)
            .Reverse());

    /// <summary>The rows of a convolution's forward pass or input gradient.</summary>
    public static AxisMap Rows(ConvolutionShape shape, bool forward) => forward
        ? Forward(shape.Input.Height, shape.Output.Height, shape.KernelHeight, shape.Stride, shape.Padding)
        : BackwardInput(shape.Input.Height, shape.Output.Height, shape.KernelHeight, shape.Stride, shape.Padding);

    /// <summary>The columns of a convolution's forward pass or input gradient.</summary>
    public static AxisMap Columns(ConvolutionShape shape, bool forward) => forward
        ? Forward(shape.Input.Width, shape.Output.Width, shape.KernelWidth, shape.Stride, shape.Padding)
        : BackwardInput(shape.Input.Width, shape.Output.Width, shape.KernelWidth, shape.Stride, shape.Padding);
}

/// <summary>One multiplication of an output along one axis.</summary>
/// <param name="Kernel">Row or column of the filter.</param>
/// <param name="Input">Row or column read.</param>
internal readonly record struct AxisTap(int Kernel, int Input);
