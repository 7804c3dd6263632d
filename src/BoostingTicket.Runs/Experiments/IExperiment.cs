using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;

namespace BoostingTicket.Runs.Experiments;

/// <summary>A table or figure of the paper, or an experiment of the project's own, as a grid of trainings and
/// measurements.</summary>
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

    /// <summary>Whether the paper has it, with numbers to compare with.</summary>
    bool IsPapers => true;

    /// <summary>What it compares of which some may be left out: names and descriptions, the first of which is always computed.
    /// Empty where all of it belongs together.</summary>
    IReadOnlyList<(string Name, string Description)> Arms => [];

    /// <summary>Number format that some of its trainings need besides the experiment's; null for none.</summary>
    /// <param name="configuration">What is asked for.</param>
    internal Precision? Beside(ExperimentConfiguration configuration) => null;

    /// <summary>Declares its pieces of work and what is measured of them.</summary>
    /// <param name="grid">Takes the declarations.</param>
    internal void Declare(ExperimentGrid grid);
}
