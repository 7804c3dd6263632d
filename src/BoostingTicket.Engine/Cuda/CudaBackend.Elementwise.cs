using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cuda;

internal sealed partial class CudaBackend
{
    public void ElementwiseForward(Tensor x, Tensor y, in ForwardEpilogue epilogue)
    {
        RequireNoShift(epilogue);
        TensorView from = View(x), to = View(y);
        RequireSame(from, to);
        _elementwise.Forward(
            from, DevicePointer.Null, DevicePointer.Null, View(epilogue.Residual, to, "residual"), epilogue.Activation, to);
    }

    public void ElementwiseBackward(Tensor dy, Tensor dx, in GradientEpilogue epilogue)
    {
        TensorView from = View(dy), to = View(dx);
        RequireSame(from, to);
        _elementwise.Backward(
            from, DevicePointer.Null, View(epilogue.Addend, to, "addend"), View(epilogue.Through, to, "activation's operand"),
            epilogue.Activation, to);
    }

    public void ScaleForward(Tensor x, BufferSlice scale, Tensor y, in ForwardEpilogue epilogue)
    {
        TensorView from = View(x), to = View(y);
        RequireSame(from, to);
        int channels = to.Shape.Channels;
        _elementwise.Forward(
            from, CudaFloats.Of(scale, channels, "scale"), CudaFloats.Of(epilogue.Shift, channels, "shift"),
            View(epilogue.Residual, to, "residual"), epilogue.Activation, to);
    }

    public void ScaleBackward(Tensor dy, BufferSlice scale, Tensor dx, in GradientEpilogue epilogue)
    {
        TensorView from = View(dy), to = View(dx);
        RequireSame(from, to);
        _elementwise.Backward(
            from, CudaFloats.Of(scale, to.Shape.Channels, "scale"), View(epilogue.Addend, to, "addend"),
            View(epilogue.Through, to, "activation's operand"), epilogue.Activation, to);
    }
}
