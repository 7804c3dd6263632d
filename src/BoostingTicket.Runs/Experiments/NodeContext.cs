using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Progress;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Runs.Experiments;

/// <summary>A device with an experiment's images on it.</summary>
/// <param name="Backend">The device.</param>
/// <param name="Images">The images.</param>
internal sealed record NodeDevice(IBackend Backend, RunData Images);

/// <summary>What pieces of work compute with: device, images, and one network at a time, since several may not fit the device's
/// memory.</summary>
/// <param name="store">Where results are kept.</param>
/// <param name="backend">Where to compute.</param>
/// <param name="data">The data set.</param>
/// <param name="images">Its images on the device.</param>
/// <param name="progress">Receives progress.</param>
/// <param name="cancellation">Asks to save and stop.</param>
/// <param name="beside">The same device in another number format, for the trainings that name it; null where none does.</param>
internal sealed class NodeContext(
    ExperimentStore store, IBackend backend, DataSplit data, RunData images, IRunProgress progress,
    CancellationToken cancellation, NodeDevice? beside = null)
    : IDisposable
{
    private readonly Dictionary<string, NetworkGraph> _graphs = [];
    private readonly NodeDevice _device = new(backend, images);
    private Network? _network;

    /// <summary>Where results are kept.</summary>
    public ExperimentStore Store => store;

    /// <summary>Where to compute.</summary>
    public IBackend Backend => backend;

    /// <summary>What trainings compute on, in whatever number format.</summary>
    public TrainingMachine Machine { get; } = TrainingMachine.Of(backend);

    /// <summary>Images on the device.</summary>
    public RunData Images => images;

    /// <summary>Receives progress.</summary>
    public IRunProgress Progress { get; set; } = progress;

    /// <summary>Asks to save and stop.</summary>
    public CancellationToken Cancellation => cancellation;

    /// <summary>The model of a training.</summary>
    /// <exception cref="ConfigurationException">There is no such model, or it does not take such images.</exception>
    public NetworkGraph Graph(TrainingJob job)
    {
        // All experiments of one folder normalise alike.
        string key = $"{job.Model}/{job.HiddenLinear}";
        if (!_graphs.TryGetValue(key, out NetworkGraph? graph))
            _graphs.Add(key, graph = TicketRun.BuildModel(job, data));
        return graph;
    }

    /// <summary>The network that a training trains: its model, or the smaller one that its ticket is.</summary>
    public NetworkGraph Graph(TrainingNode training)
    {
        if (training.Ticket is not { } ticket || !TicketStructure.Find(ticket.Settings.Structure).Channels)
            return Graph(training.Job);
        if (!_graphs.TryGetValue(ticket.Name, out NetworkGraph? graph))
            _graphs.Add(ticket.Name, graph = Ticket(ticket).Network.Graph);
        return graph;
    }

    /// <summary>Where a training in a number format computes: its tests compute where the experiment does.</summary>
    /// <param name="precision">The number format; null for the experiment's.</param>
    /// <exception cref="InvalidOperationException">No device was given for its number format.</exception>
    public NodeDevice DeviceOf(Precision? precision) =>
        precision is null ? _device
        : beside?.Backend.Precision == precision ? beside
        : throw new InvalidOperationException($"no device computes in {precision}");

    /// <summary>Kept weights of the network that a training trains; null for a dense one. Evaluation does not read the mask; a
    /// backend that leaves out pruned weights does.</summary>
    public Mask? MaskOf(TrainingNode training) =>
        training.Ticket is null ? null : Ticket(training.Ticket).Network.TrainingMask;

    /// <summary>The network of a training; its values are whatever the last work left. That of another model is given
    /// up.</summary>
    /// <exception cref="NotEnoughMemoryException">It does not fit the device's memory.</exception>
    public Network Network(TrainingNode training) => Network(training.Job, Graph(training), _device);

    /// <summary>The model of a training as a network.</summary>
    /// <exception cref="NotEnoughMemoryException">It does not fit the device's memory.</exception>
    public Network Network(TrainingJob job) => Network(job, Graph(job), _device);

    /// <summary>A graph as a network on a device.</summary>
    /// <param name="job">The training that it is for.</param>
    /// <param name="graph">The graph.</param>
    /// <param name="device">The device.</param>
    /// <exception cref="NotEnoughMemoryException">It does not fit the device's memory.</exception>
    public Network Network(TrainingJob job, NetworkGraph graph, NodeDevice device)
    {
        if (_network?.Graph == graph && _network.Backend == device.Backend)
            return _network;
        GiveUpNetwork();
        var network = new Network(graph, device.Backend);
        try
        {
            RunMemory.Require(TrainingNode.Recorded(job), [job.Settings], network, device.Images, Progress);
        }
        catch
        {
            network.Dispose();
            throw;
        }
        return _network = network;
    }

    /// <summary>Weights that a training left.</summary>
    /// <param name="training">The training, which is done.</param>
    /// <param name="best">Those that were best on validation, instead of the last.</param>
    public ModelState Weights(TrainingNode training, bool best = false) =>
        WeightFile.Load(training.Weights(store, best), Graph(training)).State;

    /// <summary>Weights that a training left, as those of its model: zero where the smaller network of a ticket has
    /// none.</summary>
    /// <param name="training">The training, which is done.</param>
    public ModelState FullWeights(TrainingNode training) => Widen(training, Weights(training));

    /// <summary>Weights of a training's network as those of its model.</summary>
    public ModelState Widen(TrainingNode training, ModelState weights) =>
        training.Ticket is { } ticket && Ticket(ticket).Network.Channels is { } channels ? channels.Widen(weights) : weights;

    /// <summary>A ticket that was drawn.</summary>
    public Ticket Ticket(TicketNode ticket) => TicketFile.Load(store.Ticket(ticket), Graph(ticket.Donor.Job));

    /// <summary>Frees the network's memory.</summary>
    public void GiveUpNetwork()
    {
        _network?.Dispose();
        _network = null;
    }

    /// <inheritdoc/>
    public void Dispose() => GiveUpNetwork();
}
