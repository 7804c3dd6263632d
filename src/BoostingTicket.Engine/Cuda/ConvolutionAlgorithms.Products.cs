using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cuda;

/// <summary>Linear layers: matrix products of cuBLAS, whose values are checked at the first use of a shape as those of
/// convolutions are.</summary>
internal sealed partial class ConvolutionAlgorithms
{
    private const string ProductWord = "product ";

    // Kinds of multiply-adds, the one that was asked for first. cuBLAS has no list of algorithms; the last kind leaves the tensor
    // cores and their transforms alone.
    private CublasCompute[] Products => _precision == Precision.TensorFloat32
        ? [CublasCompute.Float32FastTensorFloat32, CublasCompute.Float32, CublasCompute.Float32Pedantic]
        : [CublasCompute.Float32, CublasCompute.Float32Pedantic];

    private static string WayOf(CublasCompute product) => $"{ProductWord}{product}";

    private CublasCompute? KeptProduct(ConvolutionPlan plan)
    {
        string? kept = _context.Choices.Kept(plan.Name);
        foreach (CublasCompute product in Products)
        {
            if (kept == WayOf(product))
                return product;
        }
        return null;
    }

    private void ChooseProduct(ConvolutionPlan plan)
    {
        CublasCompute? kept = KeptProduct(plan);
        CublasCompute first = kept ?? Products[0];
        if (!_options.ChecksValues)
        {
            plan.Product = first;
            return;
        }
        using ConvolutionBench bench = NewBench(plan);
        var wrong = new HashSet<CublasCompute>();
        foreach (CublasCompute product in Products.OrderBy(product => product == first ? 0 : 1))
        {
            if (wrong.Contains(product) || !IsRight(plan, bench, product, wrong))
                continue;
            plan.Product = product;
            plan.IsChecked = true;
            if (kept is { } before && before != product)
                ReportOtherWay(plan, WayOf(before));
            _context.Choices.Add(plan.Name, WayOf(product));
            return;
        }
        string message =
            $"cuBLAS {_context.Cublas.Version} does not compute the {plan.Name} rightly in {_precision}; try another "
            + $"number format or another cuBLAS. Dropped: {string.Join("; ", plan.Dropped)}.";
        throw plan.Refusal is { } last ? new DeviceException(message, last) : new DeviceException(message);
    }

    // Whether cuBLAS does it, and its values agree with double precision in some places and with another kind's in all.
    private bool IsRight(ConvolutionPlan plan, ConvolutionBench bench, CublasCompute product, HashSet<CublasCompute> wrong)
    {
        if (TryMultiply(plan, bench, product, isExpected: true) is not { } values)
            return false;
        if (bench.Fault(values) is { } fault)
            return Drop(product, fault);
        foreach (CublasCompute other in Products)
        {
            if (other == product || wrong.Contains(other)
                || TryMultiply(plan, bench, other, isExpected: false) is not { } others)
                continue;
            if (bench.Fault(others) is { } its)
            {
                Drop(other, its);
                continue;
            }
            long place = bench.FirstDifference(values, others);
            if (place < 0)
                break;
            if (bench.FaultAt(values, place) is { } own)
                return Drop(product, own);
            Drop(other, bench.FaultAt(others, place) ?? "differs from another way");
        }
        return true;

        bool Drop(CublasCompute dropped, string why)
        {
            wrong.Add(dropped);
            Say(plan, $"{WayOf(dropped)} {why}");
            return false;
        }
    }

    // Null when cuBLAS refuses, which is told of what is used.
    private float[]? TryMultiply(ConvolutionPlan plan, ConvolutionBench bench, CublasCompute product, bool isExpected)
    {
        plan.Product = product;
        try
        {
            Insist(() =>
            {
                Multiply(plan, bench.Operands.X, bench.Operands.W, bench.Operands.Y, 0);
                return true;
            });
            return bench.Download();
        }
        catch (CudaException refusal) when (refusal.IsRefusal)
        {
            Note(plan, refusal);
            if (isExpected)
                Say(plan, $"{WayOf(product)} is refused ({refusal.Message})");
            return null;
        }
    }

    // Row-major matrices are the transposes of cuBLAS's: x is D x N, w is D x K, y is K x N for D values of an input, K features,
    // N samples.
    private void Multiply(ConvolutionPlan plan, DevicePointer x, DevicePointer w, DevicePointer y, float beta)
    {
        int values = plan.Shape.Input.Pixels * TensorView.Pad(plan.Shape.Input.Channels, _type);
        int features = TensorView.Pad(plan.Shape.OutputChannels, _type);
        CublasMatrix input = new(x, MatrixType, values), weights = new(w, MatrixType, values),
        output = new(y, MatrixType, features);
        switch (plan.Direction)
        {
            case ConvolutionDirection.Forward:
                Gemm(CublasOperation.Transpose, CublasOperation.None, features, plan.Batch, values, weights, input, output);
                break;
            case ConvolutionDirection.BackwardData:
                Gemm(CublasOperation.None, CublasOperation.None, values, plan.Batch, features, weights, output, input);
                break;
            default:
                Gemm(CublasOperation.None, CublasOperation.Transpose, values, features, plan.Batch, input, output, weights);
                break;
        }

        void Gemm(
            CublasOperation operationA, CublasOperation operationB, int m, int n, int k, CublasMatrix a, CublasMatrix b,
            CublasMatrix c) =>
            _context.Cublas.Gemm(_context.CublasHandle, operationA, operationB, m, n, k, 1, a, b, beta, c, plan.Product);
    }
}
