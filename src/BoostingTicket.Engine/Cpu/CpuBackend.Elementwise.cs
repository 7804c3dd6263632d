using BoostingTicket.Engine.Backends;
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
            Floor = Floor(epilogue.Relu),
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
            ReluOutput = DataOrNull(epilogue.ReluOutput, to),
        };
        _pool.Run(ref job, job.Grid.Items);
    }

    private struct ElementwiseForwardJob : IParallelJob
    {
        public FlatGrid Grid;
        public float* X, Y, Residual;
        public float Floor;

        public readonly void Run(int item, int worker)
        {
            nint start = Grid.Start(item);
            Affine(X + start, 1, 0, Residual == null ? null : Residual + start, Floor, Y + start, Grid.Length(item));
        }
    }

    private struct ElementwiseBackwardJob : IParallelJob
    {
        public FlatGrid Grid;
        public float* Dy, Dx, Addend, ReluOutput;

        public readonly void Run(int item, int worker)
        {
            nint start = Grid.Start(item);
            ScaleGradient(
                Dy + start, 1, Addend == null ? null : Addend + start, ReluOutput == null ? null : ReluOutput + start,
                Dx + start, Grid.Length(item));
        }
    }
}
