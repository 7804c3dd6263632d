using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing;

/// <summary>A forward epilogue with its operands checked and at hand.</summary>
internal readonly ref struct ForwardEnd
{
    /// <summary>Role of the residual.</summary>
    public const string Residual = "residual";

    private readonly ReadOnlySpan<double> _shift;
    private readonly ReadOnlySpan<double> _residual;
    private readonly FeatureShape _shape;
    private readonly bool _relu;

    public ForwardEnd(
        OperationScope scope, in ForwardEpilogue epilogue, int batch, FeatureShape shape, bool shiftAllowed = true)
    {
        scope.Require(shiftAllowed || epilogue.Shift is null, "the epilogue's shift must be null.");
        _shift = scope.ReadOptional(epilogue.Shift, "shift", shape.Channels);
        _residual = scope.ReadOptional(epilogue.Residual, Residual, batch, shape);
        _shape = shape;
        _relu = epilogue.Relu;
    }

    public void Apply(double[] values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            double value = values[i];
            if (!_shift.IsEmpty)
                value += _shift[i / _shape.Pixels % _shape.Channels];
            if (!_residual.IsEmpty)
                value += _residual[i];
            values[i] = _relu && value < 0 ? 0 : value;
        }
    }
}

/// <summary>A gradient epilogue with its operands checked and at hand.</summary>
internal readonly ref struct GradientEnd
{
    /// <summary>Role of the addend.</summary>
    public const string Addend = "addend";

    private readonly ReadOnlySpan<double> _addend;
    private readonly ReadOnlySpan<double> _reluOutput;

    public GradientEnd(OperationScope scope, in GradientEpilogue epilogue, int batch, FeatureShape shape)
    {
        _addend = scope.ReadOptional(epilogue.Addend, Addend, batch, shape);
        _reluOutput = scope.ReadOptional(epilogue.ReluOutput, "reluOutput", batch, shape);
    }

    public void Apply(double[] values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            double value = values[i];
            if (!_addend.IsEmpty)
                value += _addend[i];
            values[i] = _reluOutput.IsEmpty || _reluOutput[i] > 0 ? value : 0;
        }
    }
}
