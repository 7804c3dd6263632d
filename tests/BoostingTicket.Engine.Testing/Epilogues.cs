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
    private readonly Activation _activation;

    public ForwardEnd(
        OperationScope scope, in ForwardEpilogue epilogue, int batch, FeatureShape shape, bool shiftAllowed = true)
    {
        scope.Require(shiftAllowed || epilogue.Shift is null, "the epilogue's shift must be null.");
        _shift = scope.ReadOptional(epilogue.Shift, "shift", shape.Channels);
        _residual = scope.ReadOptional(epilogue.Residual, Residual, batch, shape);
        _shape = shape;
        _activation = epilogue.Activation;
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
            values[i] = ActivationTruth.Apply(_activation, value);
        }
    }
}

/// <summary>A gradient epilogue with its operands checked and at hand.</summary>
internal readonly ref struct GradientEnd
{
    /// <summary>Role of the addend.</summary>
    public const string Addend = "addend";

    private readonly ReadOnlySpan<double> _addend;
    private readonly ReadOnlySpan<double> _through;
    private readonly Activation _activation;

    public GradientEnd(OperationScope scope, in GradientEpilogue epilogue, int batch, FeatureShape shape)
    {
        _addend = scope.ReadOptional(epilogue.Addend, Addend, batch, shape);
        scope.Require(
            epilogue.Through is null == (epilogue.Activation == Activation.None),
            "the epilogue names an activation exactly where it names what its derivative is taken from.");
        _through = scope.ReadOptional(epilogue.Through, "through", batch, shape);
        _activation = epilogue.Activation;
    }

    public void Apply(double[] values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            double value = values[i];
            if (!_addend.IsEmpty)
                value += _addend[i];
            values[i] = _through.IsEmpty ? value : ActivationTruth.Backward(_activation, value, _through[i]);
        }
    }
}
