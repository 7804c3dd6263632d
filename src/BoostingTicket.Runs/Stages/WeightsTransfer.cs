using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Stages;

/// <summary>Attacks on one of several saved networks, shown to the others: the command <c>transfer</c>.</summary>
/// <param name="configuration">Data and evaluation.</param>
/// <param name="backend">Where to compute.</param>
/// <param name="data">The data set that the configuration names.</param>
/// <param name="progress">Told how it goes.</param>
internal sealed class WeightsTransfer(RunConfiguration configuration, IBackend backend, DataSplit data, IRunProgress progress)
{
    /// <summary>Measures on the configuration's test samples how adversarial images made against each of several saved networks
    /// do on all of them.</summary>
    /// <param name="weightsPaths">Weights files of this program, which may be of different models.</param>
    /// <param name="attack">A name of <see cref="AttackCatalog.Names"/>.</param>
    /// <param name="cancellation">Ends the measurement between iterations.</param>
    /// <exception cref="DamagedFileException">A file is damaged.</exception>
    /// <exception cref="ConfigurationException">A file does not say of which model it is, or is for other images; the name is
    /// unknown, or the attack cannot attack one of the networks.</exception>
    public TransferResult Execute(IReadOnlyList<string> weightsPaths, string attack, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(weightsPaths);
        configuration.Validate();
        SavedModel[] models = [.. weightsPaths.Select(SavedModel.Load)];
        foreach (SavedModel model in models)
            model.RequireFits(data.Test);
        using var images = new RunData(data, configuration.Data, backend);
        foreach (NetworkGraph graph in models.Select(model => model.Graph))
        {
            using var network = new Network(graph, backend);
            RunMemory.Require(configuration, [], network, images, progress);
        }
        EvaluationSettings settings = configuration.Evaluation;
        return new TransferMatrix(backend, images.Test, images.TestSamples, settings.BatchSize, progress).Run(
            [.. models.Select(model => new TransferNetwork(model.Path, model.Graph, model.State))], attack, settings.Attack,
            Philox.Key(configuration.Seed, RandomStream.EvaluationAttack), cancellation);
    }
}
