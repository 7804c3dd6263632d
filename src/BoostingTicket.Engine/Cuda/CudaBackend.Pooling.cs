using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cuda;

internal sealed partial class CudaBackend
{
    public void PoolForward(PoolShape pool, Tensor x, Tensor y)
    {
        TensorView from = View(x), to = View(y);
        RequireShape(to, from.Batch, pool.Output(from.Shape), "pooled tensor");
        _pooling.Forward(pool, from, to);
    }

    public void PoolBackward(PoolShape pool, Tensor x, Tensor y, Tensor dy, Tensor dx, in GradientEpilogue epilogue)
    {
        TensorView input = View(x), output = View(y), from = View(dy), to = View(dx);
        RequireShape(output, input.Batch, pool.Output(input.Shape), "pooled tensor");
        RequireSame(from, output);
        RequireSame(to, input);
        if (pool.Kind == PoolKind.Average && pool.Stride < pool.Window)
            throw new ArgumentException("Average pooling over overlapping windows has no backward pass.", nameof(pool));
        _pooling.Backward(
            pool, input, output, from, to, View(epilogue.Addend, to, "addend"),
            View(epilogue.Through, to, "activation's operand"), epilogue.Activation);
    }
}
