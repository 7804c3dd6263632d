using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Kernels;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cuda;

internal sealed partial class CudaBackend
{
    public void NormalizationForward(
        in NormalizationOperands operands, RunningStatistics? running, Tensor x, Tensor y, in ForwardEpilogue epilogue)
    {
        RequireNoShift(epilogue);
        TensorView from = View(x), to = View(y);
        RequireSame(from, to);
        int channels = from.Shape.Channels;
        if (running is not null && from.Pixels < 2)
            throw new ArgumentException("Running statistics cannot be updated from one value a channel.", nameof(running));
        RunningPointers? pointers = running is { } statistics
            ? new RunningPointers(
                CudaFloats.Of(statistics.Mean, channels, "running mean"),
                CudaFloats.Of(statistics.Variance, channels, "running variance"), statistics.Momentum)
            : null;
        _normalization.Forward(
            Pointers(operands, channels), pointers, from, to, View(epilogue.Residual, to, "residual"), epilogue.Activation,
            _scratch.Reserve(NormalizationKernels.ScratchBytes(from)));
    }

    public void NormalizationBackward(
        in NormalizationOperands operands, Tensor x, Tensor dy, Tensor dx, BufferSlice? dScale, BufferSlice? dShift,
        in GradientEpilogue epilogue)
    {
        TensorView input = View(x), from = View(dy), to = View(dx);
        RequireSame(from, input);
        RequireSame(to, input);
        int channels = input.Shape.Channels;
        _normalization.Backward(
            Pointers(operands, channels), input, from, to, CudaFloats.Of(dScale, channels, "gradient of the scale"),
            CudaFloats.Of(dShift, channels, "gradient of the shift"), View(epilogue.Addend, to, "addend"),
            View(epilogue.Through, to, "activation's operand"), epilogue.Activation,
            _scratch.Reserve(NormalizationKernels.ScratchBytes(input)));
    }

    public void FoldNormalization(
        BufferSlice gamma, BufferSlice beta, BufferSlice mean, BufferSlice variance, float epsilon, BufferSlice? bias,
        BufferSlice scale, BufferSlice shift)
    {
        _context.EnterThread();
        int channels = gamma.Length;
        _normalization.Fold(
            CudaFloats.Of(gamma), CudaFloats.Of(beta, channels, "shift"), CudaFloats.Of(mean, channels, "mean"),
            CudaFloats.Of(variance, channels, "variance"), epsilon, CudaFloats.Of(bias, channels, "bias"),
            CudaFloats.Of(scale, channels, "folded scale"), CudaFloats.Of(shift, channels, "folded shift"), channels);
    }

    private static NormalizationPointers Pointers(in NormalizationOperands operands, int channels) => new(
        CudaFloats.Of(operands.Scale, channels, "scale"), CudaFloats.Of(operands.Shift, channels, "shift"),
        CudaFloats.Of(operands.SavedMean, channels, "saved mean"),
        CudaFloats.Of(operands.SavedInverseDeviation, channels, "saved inverse deviation"), operands.Epsilon);
}
