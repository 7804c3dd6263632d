using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu.Kernels;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cpu;

// Normalisation by constants.
internal sealed unsafe partial class CpuBackend<TLanes, TVector>
{
    public void FoldNormalization(
        BufferSlice gamma, BufferSlice beta, BufferSlice mean, BufferSlice variance, float epsilon, BufferSlice? bias,
        BufferSlice scale, BufferSlice shift)
    {
        int channels = gamma.Length;
        Span<float> g = Checked(gamma, channels), b = Checked(beta, channels), m = Checked(mean, channels);
        Span<float> v = Checked(variance, channels), s = Checked(scale, channels), t = Checked(shift, channels);
        Span<float> before = bias is { } some ? Checked(some, channels) : default;
        for (int channel = 0; channel < channels; channel++)
        {
            // The summand belongs to the factor as it is rounded, so that the two cancel as exactly as they can.
            float factor = (float)(g[channel] / Math.Sqrt((double)v[channel] + epsilon));
            double centre = (before.IsEmpty ? 0 : (double)before[channel]) - m[channel];
            s[channel] = factor;
            t[channel] = (float)(b[channel] + centre * factor);
        }
    }

    public void ScaleForward(Tensor x, BufferSlice scale, Tensor y, in ForwardEpilogue epilogue)
    {
        CpuTensor from = CpuTensor.Of(x), to = CpuTensor.Of(y);
        RequireSame(from, to);
        var job = new ScaleForwardJob
        {
            Grid = new PlaneGrid(from),
            BlockStride = from.BlockStride,
            ChannelStride = (int)from.ChannelStride,
            X = from.Data,
            Y = to.Data,
            Scale = PerChannel(scale, from, "scale"),
            Shift = PerChannelOrNull(epilogue.Shift, from, "shift"),
            Residual = DataOrNull(epilogue.Residual, to),
            Activation = epilogue.Activation,
        };
        _pool.Run(ref job, job.Grid.Items);
    }

    public void ScaleBackward(Tensor dy, BufferSlice scale, Tensor dx, in GradientEpilogue epilogue)
    {
        CpuTensor from = CpuTensor.Of(dy), to = CpuTensor.Of(dx);
        RequireSame(from, to);
        var job = new ScaleBackwardJob
        {
            Grid = new PlaneGrid(from),
            BlockStride = from.BlockStride,
            ChannelStride = (int)from.ChannelStride,
            Dy = from.Data,
            Dx = to.Data,
            Scale = PerChannel(scale, from, "scale"),
            Addend = DataOrNull(epilogue.Addend, to),
            End = new DerivativeEnd(epilogue, to),
        };
        _pool.Run(ref job, job.Grid.Items);
    }

    private struct ScaleForwardJob : IParallelJob
    {
        public PlaneGrid Grid;
        public nint BlockStride;
        public int ChannelStride;
        public float* X, Y, Scale, Shift, Residual;
        public Activation Activation;

        public readonly void Run(int item, int worker)
        {
            Grid.Locate(item, out int block, out int first, out int end);
            for (int channel = first; channel < end; channel++)
            {
                nint start = block * BlockStride + channel * (nint)ChannelStride;
                Affine(
                    X + start, Scale[channel], Shift == null ? 0 : Shift[channel], Residual == null ? null : Residual + start,
                    Floor(Activation), Y + start, ChannelStride);
                ActivationKernel<TLanes, TVector>.Forward(Activation, Y + start, ChannelStride);
            }
        }
    }

    private struct ScaleBackwardJob : IParallelJob
    {
        public PlaneGrid Grid;
        public nint BlockStride;
        public int ChannelStride;
        public float* Dy, Dx, Scale, Addend;
        public DerivativeEnd End;

        public readonly void Run(int item, int worker)
        {
            Grid.Locate(item, out int block, out int first, out int end);
            for (int channel = first; channel < end; channel++)
            {
                nint start = block * BlockStride + channel * (nint)ChannelStride;
                ScaleGradient(
                    Dy + start, Scale[channel], Addend == null ? null : Addend + start, End.ReluOutputAt(start), Dx + start,
                    ChannelStride);
                End.Finish(Dx, start, ChannelStride);
            }
        }
    }
}
