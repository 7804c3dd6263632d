using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Stages;

/// <summary>The test of saved weights, clean and under PGD: the command <c>evaluate</c>.</summary>
/// <param name="configuration">Model, data and evaluation.</param>
/// <param name="backend">Where to compute.</param>
/// <param name="data">The data set that the configuration names.</param>
/// <param name="progress">Told how it goes.</param>
internal sealed class WeightsTest(RunConfiguration configuration, IBackend backend, DataSplit data, IRunProgress progress)
{
    /// <summary>Tests saved weights on the configuration's test samples, behind the normalisation that their file
    /// records.</summary>
    /// <param name="weightsPath">A weights file.</param>
    /// <param name="cancellation">Ends the test between batches.</param>
    /// <exception cref="DamagedFileException">The file is damaged or of another model.</exception>
    public TestResult Execute(string weightsPath, CancellationToken cancellation)
    {
        configuration.Validate();
        InputNormalizationConstants? normalization = WeightsNormalization.Of(weightsPath, configuration, data);
        using var network = new Network(
            WeightFile.GraphOf(weightsPath, TicketRun.BuildModel(configuration, data, normalization)), backend);
        WeightFile.Load(weightsPath, network.Graph, progress.Note).State.CopyTo(network.Parameters, backend);
        using var images = new RunData(data, configuration.Data, backend);
        RunMemory.Require(configuration, [], network, images, progress);
        var tester = new StageTester(configuration.Evaluation, configuration.Seed, network, images, progress, cancellation);
        return tester.Test(Path.GetFileName(weightsPath), "given");
    }
}
