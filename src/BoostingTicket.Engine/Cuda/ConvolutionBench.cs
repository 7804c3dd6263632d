using System.Globalization;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cuda;

/// <summary>Memory of its own for one pass of a convolution, its operands random, on which ways to compute the pass are measured
/// and what they give is checked: against each other over all values, and against double precision in a few.</summary>
internal sealed class ConvolutionBench : IDisposable
{
    /// <summary>Values of a result that are computed in double precision; a filter gradient may sum 100,000 products for
    /// each.</summary>
    private const int Samples = 16;

    private readonly CudaContext _context;
    private readonly HostStaging _staging;
    private readonly ConvolutionPlan _plan;
    private readonly ElementType _type;
    private readonly DeviceBlock _memory;
    private readonly DeviceScratch _workspace;
    private readonly RandomPattern _x, _w, _y, _more;
    private readonly int _channels, _filters;
    private readonly double _bound, _rounding;

    /// <summary>Allocates and fills.</summary>
    /// <param name="context">The GPU.</param>
    /// <param name="staging">The way to it.</param>
    /// <param name="plan">The pass; its descriptions are used, its choices are not.</param>
    /// <param name="type">Elements of the operands.</param>
    /// <param name="precision">Of the multiply-adds.</param>
    /// <exception cref="DeviceException">The device has not that much memory free.</exception>
    public ConvolutionBench(CudaContext context, HostStaging staging, ConvolutionPlan plan, ElementType type, Precision precision)
    {
        _context = context;
        _staging = staging;
        _plan = plan;
        _type = type;
        (_x, _w, _y, _more) =
            (RandomPattern.Of(0, type), RandomPattern.Of(1, type), RandomPattern.Of(2, type), RandomPattern.Of(3, type));
        ConvolutionShape shape = plan.Shape;
        _channels = TensorView.Pad(shape.Input.Channels, type);
        _filters = TensorView.Pad(shape.OutputChannels, type);
        long x = (long)plan.Batch * shape.Input.Pixels * _channels, y = (long)plan.Batch * shape.Output.Pixels * _filters;
        long w = (long)_filters * shape.KernelHeight * shape.KernelWidth * _channels;
        Length = plan.Direction switch
        {
            ConvolutionDirection.Forward => y,
            ConvolutionDirection.BackwardData => x,
            _ => w,
        };
        (_bound, _rounding) = Tolerance(Products, precision);
        _memory = new DeviceBlock(
            context, Bytes(x) + Bytes(w) + Bytes(y) + Bytes(Length) + Bytes(_filters), "the check of convolution algorithms");
        _workspace = new DeviceScratch(context, "the check of convolution algorithms");
        DevicePointer start = _memory.Pointer;
        Operands = plan.Operands with { X = start, W = start + Bytes(x), Y = start + Bytes(x) + Bytes(w) };
        Addend = Operands.Y + Bytes(y);
        Bias = Addend + Bytes(Length);
        _x.Fill(context, staging, Operands.X, x);
        _w.Fill(context, staging, Operands.W, w);
        _y.Fill(context, staging, Operands.Y, y);
        _more.Fill(context, staging, Addend, Length);
        _more.Fill(context, staging, Bias, _filters);

        long Bytes(long elements) =>
            ((elements * (type == ElementType.BFloat16 ? 2 : 4)) + CudaTensor.Alignment - 1) / CudaTensor.Alignment
                * CudaTensor.Alignment;
    }

    /// <summary>The pass's operands; a pass overwrites one of them.</summary>
    public CudnnConvolution Operands { get; }

    /// <summary>As large as the result, and apart from it.</summary>
    public DevicePointer Addend { get; }

    /// <summary>A value for each filter.</summary>
    public DevicePointer Bias { get; }

    /// <summary>Elements of the result.</summary>
    public long Length { get; }

    // Summed up for a value of the result, at most.
    private long Products => _plan.Direction switch
    {
        ConvolutionDirection.Forward => (long)_plan.Shape.KernelHeight * _plan.Shape.KernelWidth * _channels,
        ConvolutionDirection.BackwardData => (long)_plan.Shape.KernelHeight * _plan.Shape.KernelWidth * _filters,
        _ => (long)_plan.Batch * _plan.Shape.Output.Pixels,
    };

    /// <summary>The operands with <see cref="Addend"/> in the place of the result.</summary>
    public CudnnConvolution Beside => _plan.Direction switch
    {
        ConvolutionDirection.Forward => Operands with { Y = Addend },
        ConvolutionDirection.BackwardData => Operands with { X = Addend },
        _ => Operands with { W = Addend },
    };

    /// <summary>Where the pass writes.</summary>
    public DevicePointer Result => _plan.Direction switch
    {
        ConvolutionDirection.Forward => Operands.Y,
        ConvolutionDirection.BackwardData => Operands.X,
        _ => Operands.W,
    };

    /// <summary>At least so many bytes of workspace; what was got before is gone.</summary>
    public DevicePointer Workspace(long bytes) => bytes == 0 ? DevicePointer.Null : _workspace.Reserve(bytes);

    /// <summary>Puts the addend where the pass writes.</summary>
    public void PlaceAddend() => _more.Fill(_context, _staging, Result, Length);

    /// <summary>Waits for the pass and takes what it wrote.</summary>
    public float[] Download()
    {
        float[] values = new float[Length];
        if (_type == ElementType.Float32)
        {
            _staging.Download<float>(Result, values);
            return values;
        }
        ushort[] shorts = new ushort[Length];
        _staging.Download<ushort>(Result, shorts);
        for (long i = 0; i < Length; i++)
            values[i] = BitConverter.UInt32BitsToSingle((uint)shorts[i] << 16);
        return values;
    }

    /// <summary>What is wrong with a result; null when nothing was found.</summary>
    public string? Fault(float[] values)
    {
        foreach (float value in values)
        {
            if (!float.IsFinite(value))
                return $"gives {(float.IsNaN(value) ? "NaN" : "infinity")}";
        }
        for (int sample = 0; sample < Samples; sample++)
        {
            // The first, the last, and what lies between at distances that no size shares.
            long place = sample == 0 ? 0 : sample == 1 ? Length - 1 : sample * 1_000_003L % Length;
            if (FaultAt(values, place) is { } fault)
                return fault;
        }
        return null;
    }

    /// <summary>What is wrong with one value of a result; null when it is right.</summary>
    public string? FaultAt(float[] values, long place)
    {
        double truth = Truth(place);
        return Math.Abs(values[place] - truth) <= _bound + (_rounding * Math.Abs(truth)) ? null : Words(values[place], truth);
    }

    /// <summary>The first place at which two results differ by more than both may be off; -1 when there is none.</summary>
    public long FirstDifference(float[] first, float[] second)
    {
        for (long i = 0; i < Length; i++)
        {
            if (!(Math.Abs(first[i] - second[i]) <= (2 * _bound) + (_rounding * (Math.Abs(first[i]) + Math.Abs(second[i])))))
                return i;
        }
        return -1;
    }

    /// <summary>What is wrong with a result to which more was added, given the right one without; null when nothing is.</summary>
    /// <param name="values">The result.</param>
    /// <param name="plain">The pass alone.</param>
    /// <param name="bias">Whether the bias was added.</param>
    /// <param name="addend">Whether the addend was added.</param>
    /// <param name="relu">Whether negative sums become 0.</param>
    public string? FaultOfSum(float[] values, float[] plain, bool bias, bool addend, bool relu)
    {
        for (long i = 0; i < Length; i++)
        {
            double summand = bias ? _more[i % _filters] : 0, other = addend ? _more[i] : 0;
            double sum = plain[i] + summand + other;
            double right = relu ? Math.Max(0, sum) : sum;
            double off = (2 * _bound) + (2 * _rounding * (Math.Abs(plain[i]) + Math.Abs(summand) + Math.Abs(other)));
            if (!(Math.Abs(values[i] - right) <= off))
                return Words(values[i], right);
        }
        return null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _workspace.Dispose();
        _memory.Dispose();
    }

    // Operands are uniform in [-1, 1): a sum of n products has a deviation of sqrt(n) / 3, and rounding errors of the products
    // add up in the same way. The factors leave room for what transforms of tiles (Winograd's) amplify, and for sums in one long
    // row; the last term is the rounding of the result.
    private static (double Bound, double Rounding) Tolerance(long products, Precision precision)
    {
        double root = Math.Sqrt(products), sums = Math.ScaleB((64 + (4 * root)) * root, -24);
        return precision switch
        {
            Precision.Float32 => (sums, Math.ScaleB(1, -22)),
            Precision.TensorFloat32 => (sums + Math.ScaleB(8 * root, -11), Math.ScaleB(1, -10)),
            _ => (sums + Math.ScaleB(8 * root, -8), Math.ScaleB(1, -7)),
        };
    }

    private static string Words(double value, double right) => double.IsFinite(value)
        ? string.Create(CultureInfo.InvariantCulture, $"gives {value:g4} where {right:g4} is right")
        : $"gives {(double.IsNaN(value) ? "NaN" : "infinity")}";

    // Layouts: x and y are sample, row, column, channel; w is filter, row, column, channel.
    private double Truth(long place)
    {
        ConvolutionShape shape = _plan.Shape;
        int columns = shape.KernelWidth, rows = shape.KernelHeight;
        FeatureShape input = shape.Input, output = shape.Output;
        double sum = 0;
        if (_plan.Direction == ConvolutionDirection.Forward)
        {
            (long pixel, int filter) = ((long)(place / _filters), (int)(place % _filters));
            (long sample, int p, int q) = Split(pixel, output);
            for (int r = 0; r < rows; r++)
            {
                for (int s = 0; s < columns; s++)
                {
                    int h = (p * shape.Stride) - shape.Padding + r, v = (q * shape.Stride) - shape.Padding + s;
                    if (h < 0 || h >= input.Height || v < 0 || v >= input.Width)
                        continue;
                    long from = ((((sample * input.Height) + h) * input.Width) + v) * _channels;
                    long weights = ((((long)filter * rows) + r) * columns + s) * _channels;
                    for (int c = 0; c < _channels; c++)
                        sum += (double)_x[from + c] * _w[weights + c];
                }
            }
        }
        else if (_plan.Direction == ConvolutionDirection.BackwardData)
        {
            (long pixel, int channel) = ((long)(place / _channels), (int)(place % _channels));
            (long sample, int h, int v) = Split(pixel, input);
            for (int r = 0; r < rows; r++)
            {
                for (int s = 0; s < columns; s++)
                {
                    int p = h + shape.Padding - r, q = v + shape.Padding - s;
                    if (p < 0 || q < 0 || p % shape.Stride != 0 || q % shape.Stride != 0)
                        continue;
                    (p, q) = (p / shape.Stride, q / shape.Stride);
                    if (p >= output.Height || q >= output.Width)
                        continue;
                    long from = ((((sample * output.Height) + p) * output.Width) + q) * _filters;
                    for (int k = 0; k < _filters; k++)
                        sum += (double)_y[from + k] * _w[((((long)k * rows) + r) * columns + s) * _channels + channel];
                }
            }
        }
        else
        {
            (long tap, int channel) = (place / _channels, (int)(place % _channels));
            (long filter, int r, int s) = (tap / (rows * columns), (int)(tap / columns % rows), (int)(tap % columns));
            for (long pixel = 0; pixel < (long)_plan.Batch * output.Pixels; pixel++)
            {
                (long sample, int p, int q) = Split(pixel, output);
                int h = (p * shape.Stride) - shape.Padding + r, v = (q * shape.Stride) - shape.Padding + s;
                if (h < 0 || h >= input.Height || v < 0 || v >= input.Width)
                    continue;
                sum += (double)_x[((((sample * input.Height) + h) * input.Width) + v) * _channels + channel]
                    * _y[(pixel * _filters) + filter];
            }
        }
        return sum;

        static (long Sample, int Row, int Column) Split(long pixel, FeatureShape map) =>
            (pixel / map.Pixels, (int)(pixel / map.Width % map.Height), (int)(pixel % map.Width));
    }
}
