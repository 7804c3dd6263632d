using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;

namespace BoostingTicket.Engine.Plans;

/// <summary>Pass of a plan that an operation belongs to.</summary>
internal enum PlanPass
{
    /// <summary>Run when weights or statistics changed.</summary>
    Prepare,

    /// <summary>From images to logits.</summary>
    Forward,

    /// <summary>From logits' gradient to the requested gradients.</summary>
    Backward,
}

/// <summary>One call of a backend in a plan, with what is needed to place its buffers and to judge its speed.</summary>
internal sealed class PlanOperation
{
    private readonly Action<IBackend> _run;

    internal PlanOperation(
        OperationKind kind, PlanPass pass, string layer, IEnumerable<Value> reads, IEnumerable<Value> writes,
        Action<IBackend> run, long arithmetic)
    {
        Kind = kind;
        Pass = pass;
        Layer = layer;
        Reads = [.. reads.Select(PlanValue.Of)];
        Writes = [.. writes.Select(PlanValue.Of)];
        _run = run;
        Arithmetic = arithmetic;
    }

    /// <summary>Family.</summary>
    public OperationKind Kind { get; }

    /// <summary>Pass.</summary>
    public PlanPass Pass { get; }

    /// <summary>Name of the layer whose work this is.</summary>
    public string Layer { get; }

    /// <summary>Dense floating-point operations, 2 for a multiply-add; 0 where memory traffic is what counts.</summary>
    public long Arithmetic { get; }

    /// <summary>Bytes of the feature maps read and written, each once. Weights are left out.</summary>
    public long Traffic => Reads.Concat(Writes).Sum(value => value.Tensor.Bytes);

    internal List<PlanValue> Reads { get; }

    internal List<PlanValue> Writes { get; }

    internal void Run(IBackend backend) => _run(backend);

    /// <inheritdoc/>
    public override string ToString() => $"{Layer} {Kind}";
}

/// <summary>Told of every operation of a plan while it runs; see <see cref="Plan.Observer"/>. A profiler synchronises the
/// backend in both calls.</summary>
internal interface IPlanObserver
{
    /// <summary>The operation is about to run.</summary>
    void Starting(PlanOperation operation);

    /// <summary>The operation was issued.</summary>
    void Finished(PlanOperation operation);
}
