using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.SoftwareCuda.Libraries;

internal sealed partial class SoftwareCudnn
{
    private const int OperandAlignment = 16;
    private const byte Garbage = 0xff;
    private const float FastestMilliseconds = 0.125f;

    private int _unorderedRuns;

    /// <inheritdoc/>
    public CudnnAlgorithm[] FindAlgorithms(
        nint handle, ConvolutionDirection direction, in CudnnConvolution operands, DevicePointer workspace, nuint workspaceBytes)
    {
        string call = $"cudnnFindConvolution{NameOf(direction)}AlgorithmEx";
        Context context = Resolve<Context>(call, "the handle", handle);
        Pass pass = Describe(call, direction, operands);
        CheckOperands(call, pass);
        var memory = new MemoryRange(workspace, (long)workspaceBytes);
        CheckWorkspace(call, pass, memory, 0);

        // Every algorithm writes the output while it is timed, and of the workspace what it needs; the inputs may be anything.
        ConvolutionGeometry geometry = pass.Geometry;
        long used = ConvolutionAlgorithm.Of(direction)
            .Where(algorithm => algorithm.Supports(geometry))
            .Select(algorithm => algorithm.WorkspaceBytes(geometry, pass.Math))
            .Where(bytes => bytes <= memory.Bytes).DefaultIfEmpty().Max();
        bool ran = false;
        _device.Submit(context.Stream, call, () =>
        {
            if (memory.Bytes > 0)
                _device.Write(memory.Data + (memory.Bytes - 1), 1, $"{call} workspace").Fill(Garbage);
            if (used > 0)
                _device.Write(memory.Data, used, $"{call} workspace").Fill(Garbage);
            _device.Write(pass.Output.Data, pass.Output.Bytes, $"{call} output").Fill(Garbage);
            ran = true;
        });
        Require(call, ran, ExecutionFailed, "a graph is being captured, and measuring waits for the device");

        var found = new List<CudnnAlgorithm>();
        foreach (ConvolutionAlgorithm algorithm in ConvolutionAlgorithm.Of(direction))
        {
            if (!algorithm.Supports(pass.Geometry))
                continue;
            // Besides the convolution's own kind of multiply-adds the default is measured, in which float32 is rounded to TF32.
            if (!algorithm.UsesTensorCores)
                Add(algorithm, CudnnMath.Fma);
            else if (pass.Math != CudnnMath.Fma)
                Add(algorithm, CudnnMath.TensorOp);
            else
            {
                Add(algorithm, CudnnMath.Default);
                Add(algorithm, CudnnMath.Fma);
            }
        }

        return [.. found];

        void Add(ConvolutionAlgorithm algorithm, CudnnMath math)
        {
            long bytes = algorithm.WorkspaceBytes(geometry, math);
            if (bytes > memory.Bytes)
                return;
            float milliseconds = FastestMilliseconds * (1 + found.Count);
            found.Add(new CudnnAlgorithm(algorithm.Number, milliseconds, (nuint)bytes, algorithm.IsDeterministic, math));
        }
    }

    /// <inheritdoc/>
    public nuint WorkspaceBytes(nint handle, ConvolutionDirection direction, in CudnnConvolution operands, int algorithm)
    {
        string call = $"cudnnGetConvolution{NameOf(direction)}WorkspaceSize";
        Resolve<Context>(call, "the handle", handle);
        Pass pass = Describe(call, direction, operands);
        return (nuint)Select(call, pass, algorithm).WorkspaceBytes(pass.Geometry, pass.Math);
    }

    /// <inheritdoc/>
    public void Convolve(
        nint handle, ConvolutionDirection direction, float alpha, in CudnnConvolution operands, int algorithm,
        DevicePointer workspace, nuint workspaceBytes, float beta)
    {
        string call = $"cudnnConvolution{NameOf(direction)}";
        Context context = Resolve<Context>(call, "the handle", handle);
        Pass pass = Describe(call, direction, operands);
        ConvolutionAlgorithm selected = Select(call, pass, algorithm);
        CheckOperands(call, pass);
        MemoryRange used = CheckWorkspace(
            call, pass, new(workspace, (long)workspaceBytes), selected.WorkspaceBytes(pass.Geometry, pass.Math));
        _device.Submit(context.Stream, call, () =>
        {
            double[] sums = Compute(call, pass, selected, used);
            if (beta != 0)
            {
                double[] old = Load(pass.Output, pass, false, $"{call} output");
                for (int i = 0; i < sums.Length; i++)
                    sums[i] = alpha * sums[i] + beta * old[i];
            }
            else if (alpha != 1)
            {
                foreach (ref double sum in sums.AsSpan())
                    sum *= alpha;
            }

            Store(call, pass, sums);
        });
    }

    /// <inheritdoc/>
    public void ConvolveBiasRelu(
        nint handle, in CudnnConvolution operands, int algorithm, DevicePointer workspace, nuint workspaceBytes,
        float residualFactor, DevicePointer residual, nint biasTensor, DevicePointer bias, nint relu)
    {
        const string call = "cudnnConvolutionBiasActivationForward";
        Context context = Resolve<Context>(call, "the handle", handle);
        Pass pass = Describe(call, ConvolutionDirection.Forward, operands);
        ConvolutionAlgorithm selected = Select(call, pass, algorithm);
        CheckOperands(call, pass);
        TensorDescription biasDescription = Resolve<TensorDescription>(call, "the bias's description", biasTensor);
        bool isRelu = Resolve<ActivationDescription>(call, "the activation", relu).IsRelu;
        Require(call, isRelu || algorithm == 1, NotSupported, $"without an activation algorithm 1 alone works, not {algorithm}");
        bool isPerChannel = biasDescription is { N: 1, H: 1, W: 1 } && biasDescription.C == pass.Geometry.K;
        Require(call, isPerChannel, BadParameter, $"the bias is {biasDescription}, not 1, {pass.Geometry.K}, 1, 1");
        Require(
            call, biasDescription.Type == CudnnDataType.BFloat16 == pass.Geometry.IsBFloat16, NotSupported,
            $"the bias is {biasDescription}; it has to be of y's number format");
        var biasRange = new MemoryRange(bias, biasDescription.Bytes);
        var residualRange = pass.Output with { Data = residual };
        CheckOperand(call, "the bias", biasRange);
        CheckOperand(call, "z", residualRange);
        Require(call, !pass.Output.Overlaps(biasRange), BadParameter, "y overlaps the bias");
        Require(
            call, residual == pass.Output.Data || !pass.Output.Overlaps(residualRange), BadParameter, "y overlaps a part of z");
        MemoryRange used = CheckWorkspace(
            call, pass, new(workspace, (long)workspaceBytes), selected.WorkspaceBytes(pass.Geometry, pass.Math));
        Require(
            call, !used.Overlaps(biasRange) && (residualFactor == 0 || !used.Overlaps(residualRange)), BadParameter,
            "the workspace overlaps the bias or z");
        _device.Submit(context.Stream, call, () =>
        {
            double[] summand = Load(biasRange, pass, false, $"{call} bias");
            double[] old = residualFactor == 0 ? [] : Load(residualRange, pass, false, $"{call} z");
            double[] sums = Compute(call, pass, selected, used);
            for (int i = 0; i < sums.Length; i++)
            {
                double value = sums[i] + summand[i % summand.Length] + (residualFactor == 0 ? 0 : residualFactor * old[i]);
                // NaN is not passed on: the fused call supports no activation that does (CUDNN_NOT_PROPAGATE_NAN).
                sums[i] = value > 0 || !isRelu ? value : 0;
            }

            Store(call, pass, sums);
        });
    }

    private static string NameOf(ConvolutionDirection direction) => direction.ToString();

    /// <summary>Checks descriptions against each other, as calls without memory do.</summary>
    private Pass Describe(string call, ConvolutionDirection direction, in CudnnConvolution operands)
    {
        Require(call, Enum.IsDefined(direction), BadParameter, $"there is no pass {direction}");
        TensorDescription x = Resolve<TensorDescription>(call, "x's description", operands.XTensor);
        FilterDescription w = Resolve<FilterDescription>(call, "w's description", operands.WFilter);
        TensorDescription y = Resolve<TensorDescription>(call, "y's description", operands.YTensor);
        ConvolutionDescription convolution = Resolve<ConvolutionDescription>(call, "the convolution", operands.Convolution);
        Require(call, x.Type == w.Type && x.Type == y.Type, BadParameter, $"x is {x}, w {w}, y {y}: number formats differ");
        Require(call, x.C == w.C, BadParameter, $"x is {x}, w {w}: input channels differ");
        Require(call, x.N == y.N, BadParameter, $"x is {x}, y {y}: samples differ");
        Require(call, y.C == w.K, BadParameter, $"w is {w}, y {y}: output channels differ");
        int height = x.H + 2 * convolution.Padding, width = x.W + 2 * convolution.Padding;
        Require(
            call, w.R <= height && w.S <= width, BadParameter, $"w is {w}, larger than x with its padding, {height}, {width}");
        int p = (height - w.R) / convolution.Stride + 1, q = (width - w.S) / convolution.Stride + 1;
        Require(call, (y.H, y.W) == (p, q), NotSupported, $"y is {y}; its height and width have to be {p}, {q}");
        var geometry = new ConvolutionGeometry(
            x.N, x.C, x.H, x.W, w.K, w.R, w.S, p, q, convolution.Padding, convolution.Stride, x.Type == CudnnDataType.BFloat16);
        var xRange = new MemoryRange(operands.X, (long)geometry.XLength * geometry.ElementBytes);
        var wRange = new MemoryRange(operands.W, (long)geometry.WLength * geometry.ElementBytes);
        var yRange = new MemoryRange(operands.Y, (long)geometry.YLength * geometry.ElementBytes);
        return direction switch
        {
            ConvolutionDirection.Forward => new(direction, geometry, convolution.Math, xRange, wRange, yRange),
            ConvolutionDirection.BackwardData => new(direction, geometry, convolution.Math, wRange, yRange, xRange),
            _ => new(direction, geometry, convolution.Math, xRange, yRange, wRange),
        };
    }

    private ConvolutionAlgorithm Select(string call, Pass pass, int number)
    {
        int count = ConvolutionAlgorithm.Count(pass.Direction);
        Require(call, number >= 0 && number < count, BadParameter, $"there is no algorithm {number}");
        ConvolutionAlgorithm? algorithm = ConvolutionAlgorithm.Of(pass.Direction).FirstOrDefault(known => known.Number == number);
        if (algorithm is null || !algorithm.Supports(pass.Geometry))
            throw Failure(call, NotSupported, $"algorithm {number} does not work on {pass.Geometry}");
        return algorithm;
    }

    private void CheckOperands(string call, Pass pass)
    {
        CheckOperand(call, "the first input", pass.First);
        CheckOperand(call, "the second input", pass.Second);
        CheckOperand(call, "the output", pass.Output);
        Require(
            call, !pass.Output.Overlaps(pass.First) && !pass.Output.Overlaps(pass.Second), BadParameter,
            "the output overlaps an input");
    }

    private void CheckOperand(string call, string name, MemoryRange range)
    {
        Require(call, !range.Data.IsNull, BadParameter, $"{name} is null");
        Require(call, range.IsAligned(OperandAlignment), BadParameter, $"{name} is not aligned to {OperandAlignment} bytes");
    }

    /// <summary>The part of the workspace that is used.</summary>
    private MemoryRange CheckWorkspace(string call, Pass pass, MemoryRange workspace, long needed)
    {
        Require(call, workspace.Bytes >= needed, BadParameter, $"the workspace has {workspace.Bytes} bytes, {needed} are needed");
        Require(call, needed == 0 || !workspace.Data.IsNull, BadParameter, "the workspace is null");
        Require(call, workspace.IsAligned(
            OperandAlignment), BadParameter, $"the workspace is not aligned to {OperandAlignment} bytes");
        Require(
            call, !workspace.Overlaps(pass.First) && !workspace.Overlaps(pass.Second) && !workspace.Overlaps(pass.Output),
            BadParameter,
            "the workspace overlaps an operand");
        return workspace with { Bytes = needed };
    }

    private double[] Compute(string call, Pass pass, ConvolutionAlgorithm algorithm, MemoryRange workspace)
    {
        if (workspace.Bytes > 0)
            _device.Write(workspace.Data, workspace.Bytes, $"{call} workspace").Fill(Garbage);
        ConvolutionGeometry geometry = pass.Geometry;
        bool rounds = algorithm.UsesTensorCores && pass.Math != CudnnMath.Fma;
        double[] first = Load(pass.First, pass, rounds, $"{call} first input");
        double[] second = Load(pass.Second, pass, rounds, $"{call} second input");
        return pass.Direction switch
        {
            ConvolutionDirection.Forward => ConvolutionArithmetic.Forward(geometry, first, second),
            ConvolutionDirection.BackwardData => ConvolutionArithmetic.BackwardData(
                geometry, first, second, algorithm.IsDeterministic ? 0 : NextSplit(geometry.K)),
            _ => ConvolutionArithmetic.BackwardFilter(
                geometry, first, second, algorithm.IsDeterministic ? 0 : NextSplit(geometry.N * geometry.P)),
        };
    }

    /// <summary>Where a sum of so many parts is broken this time; it moves from run to run, as the order of atomic additions
    /// does.</summary>
    private int NextSplit(int parts) => parts == 1 ? 0 : 1 + _unorderedRuns++ % (parts - 1);

    private double[] Load(MemoryRange range, Pass pass, bool roundToTensorFloat32, string reader)
    {
        double[] values = new double[range.Bytes / pass.Geometry.ElementBytes];
        DeviceNumbers.Load(_device.Read(range.Data, range.Bytes, reader), pass.Geometry.IsBFloat16, values, roundToTensorFloat32);
        return values;
    }

    private void Store(string call, Pass pass, double[] values) =>
        DeviceNumbers.Store(
            values, pass.Geometry.IsBFloat16, _device.Write(pass.Output.Data, pass.Output.Bytes, $"{call} output"));

    /// <summary>A pass as it was when the call was made: later changes of descriptions do not reach it.</summary>
    private sealed record Pass(
        ConvolutionDirection Direction, ConvolutionGeometry Geometry, CudnnMath Math, MemoryRange First, MemoryRange Second,
        MemoryRange Output);
}
