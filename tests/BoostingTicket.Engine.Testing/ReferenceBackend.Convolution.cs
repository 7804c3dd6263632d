using System.Runtime.CompilerServices;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing;

internal partial class ReferenceBackend
{
    /// <inheritdoc/>
    public Filter CreateFilter(ConvolutionShape shape, FilterUses uses) => new ReferenceFilter(shape, uses);

    /// <inheritdoc/>
    public void PrepareFilter(Filter filter, in FilterSource source)
    {
        if (filter is not ReferenceFilter reference)
            throw new ContractException("PrepareFilter: the filter belongs to another backend.");
        reference.Prepare(source);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public virtual void ConvolutionForward(Filter filter, Tensor x, Tensor y, in ForwardEpilogue epilogue)
    {
        var scope = new OperationScope(nameof(ConvolutionForward));
        ConvolutionShape shape = filter.Shape;
        int stride = shape.Stride;
        double[] weights = ReferenceFilter.Weights(filter, FilterUses.Forward, scope);
        ReadOnlySpan<double> input = scope.Read(x, nameof(x), x.Batch, shape.Input);
        var end = new ForwardEnd(scope, epilogue, x.Batch, shape.Output);
        double[] output = scope.Write(y, nameof(y), x.Batch, shape.Output, ForwardEnd.Residual);

        var taps = new Taps(shape, x.Batch);
        while (taps.Next(out Tap tap))
        {
            double weight = weights[tap.Weight];
            ReadOnlySpan<double> from = input.Slice(tap.Input, tap.InputLength);
            Span<double> to = output.AsSpan(tap.Output, tap.Columns);
            for (int column = 0; column < to.Length; column++)
                to[column] += weight * from[column * stride];
        }
        end.Apply(output);
        scope.Commit();
    }

    /// <inheritdoc/>
    public virtual void ConvolutionBackwardInput(Filter filter, Tensor dy, Tensor dx, in GradientEpilogue epilogue)
    {
        var scope = new OperationScope(nameof(ConvolutionBackwardInput));
        ConvolutionShape shape = filter.Shape;
        double[] weights = ReferenceFilter.Weights(filter, FilterUses.BackwardInput, scope);
        ReadOnlySpan<double> outputGradient = scope.Read(dy, nameof(dy), dy.Batch, shape.Output);
        var end = new GradientEnd(scope, epilogue, dy.Batch, shape.Input);
        double[] inputGradient = scope.Write(dx, nameof(dx), dy.Batch, shape.Input, GradientEnd.Addend);
        Gather(dy, shape, weights, outputGradient, inputGradient);
        end.Apply(inputGradient);
        scope.Commit();
    }

    /// <inheritdoc/>
    public virtual bool ScalesInputGradients => true;

    /// <inheritdoc/>
    public virtual void ConvolutionBackwardInputScaled(
        Filter filter, Tensor dy, Tensor dx, in GradientEpilogue epilogue, BufferSlice scale, Tensor? summand)
    {
        var scope = new OperationScope(nameof(ConvolutionBackwardInputScaled));
        ConvolutionShape shape = filter.Shape;
        double[] weights = ReferenceFilter.Weights(filter, FilterUses.BackwardInput, scope);
        ReadOnlySpan<double> outputGradient = scope.Read(dy, nameof(dy), dy.Batch, shape.Output);
        var end = new GradientEnd(scope, epilogue, dy.Batch, shape.Input);
        ReadOnlySpan<double> factors = scope.Read(scale, nameof(scale), shape.Input.Channels);
        ReadOnlySpan<double> last = scope.ReadOptional(summand, nameof(summand), dy.Batch, shape.Input);
        double[] inputGradient = scope.Write(dx, nameof(dx), dy.Batch, shape.Input, GradientEnd.Addend, nameof(summand));
        Gather(dy, shape, weights, outputGradient, inputGradient);
        end.Apply(inputGradient);
        for (int i = 0; i < inputGradient.Length; i++)
        {
            inputGradient[i] = factors[i / shape.Input.Pixels % shape.Input.Channels] * inputGradient[i]
                + (last.IsEmpty ? 0 : last[i]);
        }
        scope.Commit();
    }

    // The gradient of a convolution's input, added to zeros.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Gather(
        Tensor dy, ConvolutionShape shape, double[] weights, ReadOnlySpan<double> outputGradient, double[] inputGradient)
    {
        int stride = shape.Stride;
        var taps = new Taps(shape, dy.Batch);
        while (taps.Next(out Tap tap))
        {
            double weight = weights[tap.Weight];
            Span<double> to = inputGradient.AsSpan(tap.Input, tap.InputLength);
            ReadOnlySpan<double> from = outputGradient.Slice(tap.Output, tap.Columns);
            for (int column = 0; column < from.Length; column++)
                to[column * stride] += weight * from[column];
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public virtual void ConvolutionBackwardFilter(Filter filter, Tensor x, Tensor dy, BufferSlice dw)
    {
        var scope = new OperationScope(nameof(ConvolutionBackwardFilter));
        ConvolutionShape shape = filter.Shape;
        int stride = shape.Stride;
        ReferenceFilter.Weights(filter, FilterUses.BackwardFilter, scope);
        ReadOnlySpan<double> input = scope.Read(x, nameof(x), x.Batch, shape.Input);
        ReadOnlySpan<double> outputGradient = scope.Read(dy, nameof(dy), x.Batch, shape.Output);
        double[] weightGradient = scope.Write(dw, nameof(dw), shape.WeightCount);

        var taps = new Taps(shape, x.Batch);
        while (taps.Next(out Tap tap))
        {
            double sum = 0;
            ReadOnlySpan<double> from = input.Slice(tap.Input, tap.InputLength);
            ReadOnlySpan<double> at = outputGradient.Slice(tap.Output, tap.Columns);
            for (int column = 0; column < at.Length; column++)
                sum += from[column * stride] * at[column];
            weightGradient[tap.Weight] += sum;
        }
        scope.Commit();
    }

    /// <inheritdoc/>
    public virtual void BiasBackward(Tensor dy, BufferSlice db)
    {
        var scope = new OperationScope(nameof(BiasBackward));
        ReadOnlySpan<double> gradient = scope.Read(dy, nameof(dy));
        double[] sums = scope.Write(db, nameof(db), dy.Shape.Channels);
        for (int i = 0; i < gradient.Length; i++)
            sums[i / dy.Shape.Pixels % dy.Shape.Channels] += gradient[i];
        scope.Commit();
    }

    /// <summary>One weight of one filter at one output row of one sample: consecutive outputs that it contributes to.</summary>
    /// <param name="Weight">Index of the weight.</param>
    /// <param name="Input">Index of the input value that meets the first of these outputs; the next is a stride on.</param>
    /// <param name="Output">Index of the first output.</param>
    /// <param name="Columns">Number of outputs.</param>
    /// <param name="InputLength">Input values from the first that is met to the last.</param>
    private readonly record struct Tap(int Weight, int Input, int Output, int Columns, int InputLength);

    /// <summary>Every product that a convolution consists of, once, as taps: samples, filters, channels, kernel rows, kernel
    /// columns, output rows, from the outermost to the innermost.</summary>
    private struct Taps(ConvolutionShape shape, int batch)
    {
        private readonly FeatureShape _input = shape.Input, _output = shape.Output;
        private int _sample, _filter, _channel, _kernelRow, _kernelColumn, _row = -1;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public bool Next(out Tap tap)
        {
            while (Advance())
            {
                int inputRow = _row * shape.Stride + _kernelRow - shape.Padding;
                if (inputRow < 0 || inputRow >= _input.Height)
                    continue;
                int first = 0, end = _output.Width;
                while (first < end && InputColumn(first) < 0)
                    first++;
                while (end > first && InputColumn(end - 1) >= _input.Width)
                    end--;
                if (first == end)
                    continue;
                int weight = ((_filter * _input.Channels + _channel) * shape.KernelHeight + _kernelRow) * shape.KernelWidth
                    + _kernelColumn;
                int input = ((_sample * _input.Channels + _channel) * _input.Height + inputRow) * _input.Width
                    + InputColumn(first);
                int output = ((_sample * _output.Channels + _filter) * _output.Height + _row) * _output.Width + first;
                tap = new Tap(weight, input, output, end - first, (end - first - 1) * shape.Stride + 1);
                return true;
            }
            tap = default;
            return false;
        }

        private readonly int InputColumn(int column) => column * shape.Stride + _kernelColumn - shape.Padding;

        private bool Advance()
        {
            if (++_row < _output.Height)
                return true;
            _row = 0;
            if (++_kernelColumn < shape.KernelWidth)
                return true;
            _kernelColumn = 0;
            if (++_kernelRow < shape.KernelHeight)
                return true;
            _kernelRow = 0;
            if (++_channel < _input.Channels)
                return true;
            _channel = 0;
            if (++_filter < _output.Channels)
                return true;
            _filter = 0;
            return ++_sample < batch;
        }
    }
}
