using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.SoftwareCuda.Libraries;

namespace BoostingTicket.Engine.Tests.Cuda.Software.Libraries;

/// <summary>A convolution set up on a device: library, descriptions, operands with seeded values, and a workspace.</summary>
internal sealed class ConvolutionBench : IDisposable
{
    public const int WorkspaceBytes = 1 << 21;

    public ConvolutionBench(ConvolutionCase shape, bool isBFloat16, CudnnMath math, int version = 91002)
    {
        Shape = shape;
        IsBFloat16 = isBFloat16;
        Library = new SoftwareCudnn(Device, version);
        Handle = Library.Create();
        Library.SetStream(Handle, ArrayDevice.Stream);
        Type = isBFloat16 ? CudnnDataType.BFloat16 : CudnnDataType.Float32;
        X = Values(Operand.X, 1);
        W = Values(Operand.W, 2);
        Y = Values(Operand.Y, 3);
        Workspace = Device.Allocate(WorkspaceBytes);
        Operands = new CudnnConvolution(
            Library.CreateTensor(Type, shape.N, shape.C, shape.H, shape.W), Upload(Operand.X, X),
            Library.CreateFilter(Type, shape.K, shape.C, shape.Kernel, shape.Kernel), Upload(Operand.W, W),
            Library.CreateTensor(Type, shape.N, shape.K, shape.P, shape.Q), Upload(Operand.Y, Y),
            Library.CreateConvolution(shape.Padding, shape.Stride, math));
        Relu = Library.CreateRelu();
        BiasTensor = Library.CreateTensor(Type, 1, shape.K, 1, 1);
    }

    public ArrayDevice Device { get; } = new();

    public SoftwareCudnn Library { get; }

    public ConvolutionCase Shape { get; }

    public bool IsBFloat16 { get; }

    public CudnnDataType Type { get; }

    public nint Handle { get; }

    public nint Relu { get; }

    public nint BiasTensor { get; }

    public CudnnConvolution Operands { get; }

    public DevicePointer Workspace { get; }

    public double[] X { get; }

    public double[] W { get; }

    public double[] Y { get; }

    public CudnnAlgorithm[] Find(ConvolutionDirection direction, int workspaceBytes = WorkspaceBytes) =>
        Library.FindAlgorithms(Handle, direction, Operands, Workspace, (nuint)workspaceBytes);

    /// <summary>A pass with an algorithm; what it wrote, channels second.</summary>
    public double[] Convolve(ConvolutionDirection direction, int algorithm, float alpha = 1, float beta = 0)
    {
        Library.Convolve(Handle, direction, alpha, Operands, algorithm, Workspace, WorkspaceBytes, beta);
        return Download(ConvolutionCase.OutputOf(direction));
    }

    public double[] Download(Operand operand) =>
        Shape.ToSecond(operand, Device.Download(Pointer(operand), Shape.Length(operand), IsBFloat16));

    /// <summary>Brings the operand that a pass overwrites back to its values.</summary>
    public void Restore(Operand operand)
    {
        double[] values = operand switch { Operand.X => X, Operand.W => W, _ => Y };
        int bytes = values.Length * (IsBFloat16 ? 2 : 4);
        DeviceNumbers.Store(Shape.ToLast(operand, values), IsBFloat16, Device.Write(Pointer(operand), bytes, "restore"));
    }

    public void Dispose()
    {
        Library.DestroyTensor(BiasTensor);
        Library.DestroyActivation(Relu);
        Library.DestroyTensor(Operands.XTensor);
        Library.DestroyTensor(Operands.YTensor);
        Library.DestroyFilter(Operands.WFilter);
        Library.DestroyConvolution(Operands.Convolution);
        Library.Destroy(Handle);
        Library.Dispose();
    }

    /// <summary>Values from -1 to 1 that the number format holds, and that TF32 holds too.</summary>
    private double[] Values(Operand operand, int seed)
    {
        var random = new Random(seed);
        double[] values = new double[Shape.Length(operand)];
        foreach (ref double value in values.AsSpan())
            value = random.Next(-128, 129) / 128.0;
        return values;
    }

    private DevicePointer Upload(Operand operand, double[] values) => Device.Upload(Shape.ToLast(operand, values), IsBFloat16);

    private DevicePointer Pointer(Operand operand) => operand switch
    {
        Operand.X => Operands.X,
        Operand.W => Operands.W,
        _ => Operands.Y,
    };
}
