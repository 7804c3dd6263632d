using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Training;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Runs.Experiments;

/// <summary>Every file name of experiments, in one place.</summary>
/// <param name="root">A folder that several experiments share.</param>
/// <param name="experiment">Name of the experiment.</param>
internal sealed class ExperimentFolder(string root, string experiment)
{
    /// <summary>The folder that experiments share.</summary>
    public string Root { get; } = Path.GetFullPath(root);

    /// <summary>The experiment's own folder.</summary>
    public string Own => Path.Combine(Root, experiment);

    /// <summary>Pieces of work of all experiments.</summary>
    public string Store => Path.Combine(Root, "store");

    /// <summary>What the experiment was asked to do.</summary>
    public string Configuration => Path.Combine(Own, "experiment.json");

    /// <summary>Device, versions, data.</summary>
    public string Environment => Path.Combine(Own, "environment.json");

    /// <summary>What devices chose by measurement; trainings that experiments share go on with the same choices.</summary>
    public string Choices => new RunFolder(Root).Choices;

    /// <summary>The finished experiment: an <see cref="ExperimentResult"/>.</summary>
    public string Result => Path.Combine(Own, "result.json");

    /// <summary>Paper's value, ours, difference.</summary>
    public string Rows => Path.Combine(Own, "results.csv");

    /// <summary>Points of the figure's curves.</summary>
    public string Points => Path.Combine(Own, "figure.csv");

    /// <summary>Points of trainings whose courses are compared.</summary>
    public string Courses => Path.Combine(Own, "courses.csv");

    /// <summary>Folder of such files that other programs wrote of trainings of their own.</summary>
    public string OtherCourses => Path.Combine(Own, "others");

    /// <summary>Tickets with their weight distances.</summary>
    public string Tickets => Path.Combine(Own, "tickets.csv");

    /// <summary>Every epoch of every training.</summary>
    public string Metrics => Path.Combine(Own, "metrics.csv");

    /// <summary>The report for people, one self-contained file.</summary>
    public string Report => Path.Combine(Own, "report.html");

    /// <summary>The result in Markdown.</summary>
    public string Summary => Path.Combine(Own, "summary.md");

    /// <summary>Writes the result, then what reports it: a report that cannot be written does not lose the result.</summary>
    /// <param name="result">What <see cref="Result"/> will hold.</param>
    /// <param name="report">Writes all other files of it.</param>
    /// <returns>Why a report could not be written; null if all were.</returns>
    /// <exception cref="ConfigurationException">The result itself could not be written.</exception>
    public ConfigurationException? Keep<TResult>(TResult result, Action report)
    {
        AtomicFile.WriteAllText(Result, RunJson.Write(result));
        try
        {
            report();
            return null;
        }
        catch (ConfigurationException error)
        {
            return error;
        }
    }

    /// <summary>Makes sure that the folder that experiments share is not that of a run.</summary>
    /// <exception cref="ConfigurationException">It is.</exception>
    public void RequireNoRun()
    {
        if (File.Exists(new RunFolder(Root).Configuration))
            throw new ConfigurationException(
                $"The folder {Root} holds a run, not experiments; choose another {Setting.Named("out")}.");
    }
}
