using BoostingTicket.Runs.Configuration;


namespace BoostingTicket.Runs.Experiments;

/// <summary>A table or figure of the paper as a grid of trainings and measurements.</summary>
internal interface IExperiment
{
    /// <summary>The name, as in <c>experiment table1</c>.</summary>
    string Name { get; }

    /// <summary>What it shows, in one line.</summary>
    string Title { get; }

    /// <summary>What it does, in a sentence or two: models, trainings, what is decided where the paper says nothing.</summary>
    string Description { get; }

    /// <summary>Data, attack and what else all of its trainings share, at full scale.</summary>
    RunConfiguration Base { get; }

    /// <summary>Epochs of its longest training in the paper.</summary>
    int LongestEpochs { get; }

    /// <summary>Declares its pieces of work and what is measured of them.</summary>
    /// <param name="grid">Takes the declarations.</param>
    internal void Declare(ExperimentGrid grid);
}
