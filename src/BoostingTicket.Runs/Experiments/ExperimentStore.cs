using BoostingTicket.Runs.Experiments.Nodes;
using BoostingTicket.Runs.Folders;

namespace BoostingTicket.Runs.Experiments;

/// <summary>Where the pieces of work of all experiments under one folder are kept: a folder for each, named after its
/// key.</summary>
/// <param name="root">The store's folder.</param>
internal sealed class ExperimentStore(string root)
{
    /// <summary>The store's folder.</summary>
    public string Root => root;

    /// <summary>Folder of a piece of work.</summary>
    public string Folder(ExperimentNode node) => Path.Combine(root, node.Name);

    /// <summary>What it is.</summary>
    public string Description(ExperimentNode node) => Path.Combine(Folder(node), "node.json");

    /// <summary>Its result; there as soon as it is done.</summary>
    public string Result(ExperimentNode node) => Path.Combine(Folder(node), "result.json");

    /// <summary>What a measurement that is not done has measured so far.</summary>
    public string Partial(ExperimentNode node) => Path.Combine(Folder(node), "partial.json");

    /// <summary>The file of a ticket.</summary>
    public string Ticket(TicketNode node) => Path.Combine(Folder(node), "ticket.safetensors");

    /// <summary>The machines of a training that is not done; its result names them afterwards.</summary>
    public string Machines(TrainingNode node) => Path.Combine(Folder(node), "machines.json");

    /// <summary>Files of a training.</summary>
    public RunFolder Files(TrainingNode node) => new(Folder(node));
}
