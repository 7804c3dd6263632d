using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing;

internal partial class ReferenceBackend
{
    /// <summary>How far saved statistics may lie from those of the input, relative to the deviation: float32 rounding passes,
    /// statistics of another input do not.</summary>
    private const double StatisticsTolerance = 1e-4;

    /// <inheritdoc/>
    public virtual void NormalizationForward(
        in NormalizationOperands operands, RunningStatistics? running, Tensor x, Tensor y, in ForwardEpilogue epilogue)
    {
        var scope = new OperationScope(nameof(NormalizationForward));
        int channels = x.Shape.Channels;
        ReadOnlySpan<double> scale = scope.Read(operands.Scale, "scale", channels);
        ReadOnlySpan<double> shift = scope.Read(operands.Shift, "shift", channels);
        ReadOnlySpan<double> input = scope.Read(x, nameof(x));
        var end = new ForwardEnd(scope, epilogue, x.Batch, x.Shape, shiftAllowed: false);
        double[] savedMean = scope.Write(operands.SavedMean, "saved mean", channels);
        double[] savedInverse = scope.Write(operands.SavedInverseDeviation, "saved inverse deviation", channels);
        double[] output = scope.Write(y, nameof(y), x.Batch, x.Shape, nameof(x), ForwardEnd.Residual);

        Moments(input, x.Shape, out double[] mean, out double[] variance);
        for (int channel = 0; channel < channels; channel++)
        {
            savedMean[channel] = mean[channel];
            savedInverse[channel] = 1 / Math.Sqrt(variance[channel] + operands.Epsilon);
        }
        for (int i = 0; i < output.Length; i++)
        {
            int channel = i / x.Shape.Pixels % channels;
            output[i] = scale[channel] * ((input[i] - mean[channel]) * savedInverse[channel]) + shift[channel];
        }
        end.Apply(output);
        if (running is { } statistics)
        {
            double count = (double)x.Batch * x.Shape.Pixels;
            scope.Require(count > 1, "running statistics cannot be updated from one value a channel.");
            double[] runningMean = scope.Update(statistics.Mean, "running mean", channels);
            double[] runningVariance = scope.Update(statistics.Variance, "running variance", channels);
            double momentum = statistics.Momentum;
            for (int channel = 0; channel < channels; channel++)
            {
                runningMean[channel] = (1 - momentum) * runningMean[channel] + momentum * mean[channel];
                runningVariance[channel] =
                    (1 - momentum) * runningVariance[channel] + momentum * variance[channel] * count / (count - 1);
            }
        }
        scope.Commit();
    }

    /// <inheritdoc/>
    public virtual void NormalizationBackward(
        in NormalizationOperands operands, Tensor x, Tensor dy, Tensor dx, BufferSlice? dScale, BufferSlice? dShift,
        in GradientEpilogue epilogue)
    {
        var scope = new OperationScope(nameof(NormalizationBackward));
        int channels = x.Shape.Channels, pixels = x.Shape.Pixels;
        ReadOnlySpan<double> scale = scope.Read(operands.Scale, "scale", channels);
        ReadOnlySpan<double> mean = scope.Read(operands.SavedMean, "saved mean", channels);
        ReadOnlySpan<double> inverse = scope.Read(operands.SavedInverseDeviation, "saved inverse deviation", channels);
        ReadOnlySpan<double> input = scope.Read(x, nameof(x));
        ReadOnlySpan<double> outputGradient = scope.Read(dy, nameof(dy), x.Batch, x.Shape);
        var end = new GradientEnd(scope, epilogue, x.Batch, x.Shape);
        double[] inputGradient = scope.Write(dx, nameof(dx), x.Batch, x.Shape, nameof(dy), GradientEnd.Addend);
        RequireStatisticsOf(scope, input, x.Shape, operands.Epsilon, mean, inverse);

        double[] shiftGradient = new double[channels], scaleGradient = new double[channels];
        for (int i = 0; i < input.Length; i++)
        {
            int channel = i / pixels % channels;
            shiftGradient[channel] += outputGradient[i];
            scaleGradient[channel] += outputGradient[i] * ((input[i] - mean[channel]) * inverse[channel]);
        }
        double count = (double)x.Batch * pixels;
        for (int i = 0; i < input.Length; i++)
        {
            int channel = i / pixels % channels;
            double normalised = (input[i] - mean[channel]) * inverse[channel];
            inputGradient[i] = scale[channel] * inverse[channel]
                * (outputGradient[i] - shiftGradient[channel] / count - normalised * (scaleGradient[channel] / count));
        }
        end.Apply(inputGradient);
        if (dScale is { } scaleSlice)
            scaleGradient.CopyTo(scope.Write(scaleSlice, nameof(dScale), channels));
        if (dShift is { } shiftSlice)
            shiftGradient.CopyTo(scope.Write(shiftSlice, nameof(dShift), channels));
        scope.Commit();
    }

    /// <inheritdoc/>
    public virtual void FoldNormalization(
        BufferSlice gamma, BufferSlice beta, BufferSlice mean, BufferSlice variance, float epsilon, BufferSlice? bias,
        BufferSlice scale, BufferSlice shift)
    {
        var scope = new OperationScope(nameof(FoldNormalization));
        int channels = gamma.Length;
        ReadOnlySpan<double> gammas = scope.Read(gamma, nameof(gamma), channels);
        ReadOnlySpan<double> betas = scope.Read(beta, nameof(beta), channels);
        ReadOnlySpan<double> means = scope.Read(mean, nameof(mean), channels);
        ReadOnlySpan<double> variances = scope.Read(variance, nameof(variance), channels);
        ReadOnlySpan<double> biases = scope.ReadOptional(bias, nameof(bias), channels);
        double[] scales = scope.Write(scale, nameof(scale), channels);
        double[] shifts = scope.Write(shift, nameof(shift), channels);
        for (int channel = 0; channel < channels; channel++)
        {
            double factor = gammas[channel] / Math.Sqrt(variances[channel] + epsilon);
            double offset = biases.IsEmpty ? 0 : biases[channel];
            scales[channel] = factor;
            shifts[channel] = betas[channel] - means[channel] * factor + offset * factor;
        }
        scope.Commit();
    }

    /// <inheritdoc/>
    public virtual void ScaleForward(Tensor x, BufferSlice scale, Tensor y, in ForwardEpilogue epilogue)
    {
        var scope = new OperationScope(nameof(ScaleForward));
        ReadOnlySpan<double> factors = scope.Read(scale, nameof(scale), x.Shape.Channels);
        ReadOnlySpan<double> input = scope.Read(x, nameof(x));
        var end = new ForwardEnd(scope, epilogue, x.Batch, x.Shape);
        double[] output = scope.Write(y, nameof(y), x.Batch, x.Shape, nameof(x), ForwardEnd.Residual);
        for (int i = 0; i < output.Length; i++)
            output[i] = factors[i / x.Shape.Pixels % x.Shape.Channels] * input[i];
        end.Apply(output);
        scope.Commit();
    }

    /// <inheritdoc/>
    public virtual void ScaleBackward(Tensor dy, BufferSlice scale, Tensor dx, in GradientEpilogue epilogue)
    {
        var scope = new OperationScope(nameof(ScaleBackward));
        ReadOnlySpan<double> factors = scope.Read(scale, nameof(scale), dy.Shape.Channels);
        ReadOnlySpan<double> gradient = scope.Read(dy, nameof(dy));
        var end = new GradientEnd(scope, epilogue, dy.Batch, dy.Shape);
        double[] inputGradient = scope.Write(dx, nameof(dx), dy.Batch, dy.Shape, nameof(dy), GradientEnd.Addend);
        for (int i = 0; i < inputGradient.Length; i++)
            inputGradient[i] = factors[i / dy.Shape.Pixels % dy.Shape.Channels] * gradient[i];
        end.Apply(inputGradient);
        scope.Commit();
    }

    /// <summary>Mean and biased variance of each channel, in two passes.</summary>
    private static void Moments(
        ReadOnlySpan<double> values, FeatureShape shape, out double[] mean, out double[] variance)
    {
        mean = new double[shape.Channels];
        variance = new double[shape.Channels];
        double count = (double)values.Length / shape.Channels;
        for (int i = 0; i < values.Length; i++)
            mean[i / shape.Pixels % shape.Channels] += values[i] / count;
        for (int i = 0; i < values.Length; i++)
        {
            int channel = i / shape.Pixels % shape.Channels;
            variance[channel] += (values[i] - mean[channel]) * (values[i] - mean[channel]) / count;
        }
    }

    /// <summary>Refuses saved statistics that are not those of the input: the forward pass saw something else, or one of them
    /// was overwritten since.</summary>
    private static void RequireStatisticsOf(
        OperationScope scope, ReadOnlySpan<double> input, FeatureShape shape, float epsilon,
        ReadOnlySpan<double> savedMean, ReadOnlySpan<double> savedInverse)
    {
        Moments(input, shape, out double[] mean, out double[] variance);
        for (int channel = 0; channel < shape.Channels; channel++)
        {
            double deviation = Math.Sqrt(variance[channel] + epsilon);
            bool differs = Math.Abs(savedMean[channel] - mean[channel]) > StatisticsTolerance * deviation
                || Math.Abs(savedInverse[channel] * deviation - 1) > StatisticsTolerance;
            scope.Require(!differs, $"the saved statistics of channel {channel} are not those of x.");
        }
    }
}
