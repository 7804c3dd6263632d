using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu.Kernels;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cpu;

internal sealed unsafe partial class CpuBackend<TLanes, TVector>
{
    public void ElementwiseForward(Tensor x, Tensor y, in ForwardEpilogue epilogue)
    {
        CpuTensor from = CpuTensor.Of(x), to = CpuTensor.Of(y);
        RequireSame(from, to);
        RequireNoShift(epilogue);
        var job = new ElementwiseForwardJob
        {
            Grid = new FlatGrid(from.PhysicalLength),
            X = from.Data,
            Y = to.Data,
            Residual = DataOrNull(epilogue.Residual, to),
            Activation = epilogue.Activation,
        };
        _pool.Run(ref job, job.Grid.Items);
    }

    public void ElementwiseBackward(Tensor dy, Tensor dx, in GradientEpilogue epilogue)
    {
        CpuTensor from = CpuTensor.Of(dy), to = CpuTensor.Of(dx);
        RequireSame(from, to);
        var job = new ElementwiseBackwardJob
        {
            Grid = new FlatGrid(from.PhysicalLength),
            Dy = from.Data,
            Dx = to.Data,
            Addend = DataOrNull(epilogue.Addend, to),
            End = new DerivativeEnd(epilogue, to),
        };
        _pool.Run(ref job, job.Grid.Items);
    }

    private struct ElementwiseForwardJob : IParallelJob
    {
        public FlatGrid Grid;
        public float* X, Y, Residual;
        public Activation Activation;

        public readonly void Run(int item, int worker)
        {
            nint start = Grid.Start(item);
            int length = Grid.Length(item);
            Affine(X + start, 1, 0, Residual == null ? null : Residual + start, Floor(Activation), Y + start, length);
            ActivationKernel<TLanes, TVector>.Forward(Activation, Y + start, length);
        }
    }

    private struct ElementwiseBackwardJob : IParallelJob
    {
        public FlatGrid Grid;
        public float* Dy, Dx, Addend;
        public DerivativeEnd End;

        public readonly void Run(int item, int worker)
        {
            nint start = Grid.Start(item);
            int length = Grid.Length(item);
            ScaleGradient(
                Dy + start, 1, Addend == null ? null : Addend + start, End.ReluOutputAt(start), Dx + start, length);
            End.Finish(Dx, start, length);
        }
    }
}
