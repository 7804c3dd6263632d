using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;

namespace BoostingTicket.Engine.Plans;

/// <summary>A network on a backend: its graph, its parameters' values, and its plans, which share one arena because only
/// one runs at a time. Not safe for use from several threads at once.</summary>
internal sealed class Network : IDisposable
{
    private readonly Dictionary<PlanOptions, Plan> _plans = [];
    private readonly Dictionary<int, BatchBuffers> _buffers = [];
    private PreparedItems _prepared;
    private Arena? _arena;

    /// <summary>A network whose parameters are all zero.</summary>
    public Network(NetworkGraph graph, IBackend backend)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(backend);
        Graph = graph;
        Backend = backend;
        Parameters = new ParameterStore(graph.Table, backend);
        _prepared = new PreparedItems(backend);
    }

    /// <summary>The layers.</summary>
    public NetworkGraph Graph { get; }

    /// <summary>Where it runs. Not disposed with the network.</summary>
    public IBackend Backend { get; }

    /// <summary>The values of the parameters.</summary>
    public ParameterStore Parameters { get; }

    /// <summary>The plans made so far.</summary>
    public IReadOnlyCollection<Plan> Plans => _plans.Values;

    /// <summary>Floating-point operations of all plans so far; see <see cref="Plan.ArithmeticDone"/>.</summary>
    public double ArithmeticDone => _plans.Values.Sum(plan => plan.ArithmeticDone);

    /// <summary>What plans need, whether they exist or not; allocates filters, but neither feature maps nor images.</summary>
    /// <param name="plans">All plans that will be used.</param>
    public MemoryNeed Need(IReadOnlyCollection<PlanOptions> plans)
    {
        ArgumentNullException.ThrowIfNull(plans);
        long featureMaps = 0, images = 0;
        foreach (IGrouping<int, PlanOptions> group in plans.Distinct().GroupBy(options => options.Batch))
        {
            using var buffers = new BatchBuffers(Backend, group.Key, Graph.Input.Shape, withMemory: false);
            images += buffers.Bytes;
            foreach (PlanOptions options in group)
            {
                if (_plans.TryGetValue(options, out Plan? existing))
                {
                    featureMaps = Math.Max(featureMaps, existing.MemoryBytes);
                    continue;
                }
                using var plan = new Plan(Graph, Parameters, Backend, _prepared, buffers, options);
                featureMaps = Math.Max(featureMaps, plan.MemoryBytes);
            }
        }
        ParameterTable table = Graph.Table;
        bool trains = plans.Any(options => options.WantsParameterGradients);
        long parameters = sizeof(float)
            * ((trains ? 3L : 1L) * table.TrainedLength + table.PrunableLength + table.StatisticsLength);
        return new MemoryNeed(parameters, _prepared.FilterBytes, featureMaps, images);
    }

    /// <summary>The buffers of a batch size.</summary>
    public BatchBuffers Buffers(int batch)
    {
        if (!_buffers.TryGetValue(batch, out BatchBuffers? buffers))
            _buffers.Add(batch, buffers = new BatchBuffers(Backend, batch, Graph.Input.Shape, withMemory: true));
        return buffers;
    }

    /// <summary>The plan for the options; compiled at the first call. A plan that needs more memory than any before moves
    /// all of them to a larger arena, so that the contents of every plan's tensors are lost.</summary>
    /// <exception cref="DeviceException">The memory is not there.</exception>
    public Plan Plan(PlanOptions options)
    {
        if (_plans.TryGetValue(options, out Plan? plan))
            return plan;
        plan = new Plan(Graph, Parameters, Backend, _prepared, Buffers(options.Batch), options);
        _plans.Add(options, plan);
        if (_arena is null || plan.MemoryBytes > _arena.Bytes)
        {
            _arena?.Dispose();
            _arena = Backend.CreateArena(plan.MemoryBytes);
            foreach (Plan other in _plans.Values)
                other.Place(_arena);
        }
        else
        {
            plan.Place(_arena);
        }
        return plan;
    }

    /// <summary>Frees the plans and all memory but the parameters', so that another network can have it. Plans are compiled
    /// again when they are asked for; those that were handed out must not be used any more.</summary>
    public void ReleasePlans()
    {
        Free();
        _plans.Clear();
        _buffers.Clear();
        _arena = null;
        _prepared = new PreparedItems(Backend);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        Parameters.Dispose();
    }

    private void Free()
    {
        foreach (Plan plan in _plans.Values)
            plan.Dispose();
        foreach (BatchBuffers buffers in _buffers.Values)
            buffers.Dispose();
        _arena?.Dispose();
        _prepared.Dispose();
    }
}
