using System.CommandLine;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;

namespace BoostingTicket.Cli.Hosting;

/// <summary>The options by which a command takes weights to start from.</summary>
internal sealed class StartWeightsOptions
{
    private readonly Option<string?> _weights;
    private readonly Option<string?> _prefix = new("--prefix")
    {
        HelpName = "TEXT",
        Description = "prefix of the tensors' names in the --weights of another program; by default found",
    };

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="description">What starts from the weights.</param>
    public StartWeightsOptions(CommandLineCommand command, string description)
    {
        _weights = new Option<string?>("--weights") { HelpName = "FILE", Description = description };
        command.Options.Add(_weights);
        command.Options.Add(_prefix);
    }

    /// <summary>The weights of the command line; null without any.</summary>
    /// <exception cref="ConfigurationException">The file cannot be used.</exception>
    public StartWeights? Read(Invocation invocation)
    {
        if (invocation.Get(_weights) is { } path)
        {
            string? model = invocation.Settings().Where(given => given.Option.Name == "model").Select(given => given.Value)
                .LastOrDefault();
            return StartWeights.Read(path, model, invocation.Get(_prefix));
        }

        return invocation.Get(_prefix) is null
            ? null
            : throw new ConfigurationException($"{_prefix.Name} is for {_weights.Name}; give that too, or leave it out.");
    }

    /// <summary>What of the options was given, for the line that continues the work.</summary>
    public IEnumerable<string> Repeated(Invocation invocation)
    {
        foreach (Option<string?> option in (Option<string?>[])[_weights, _prefix])
        {
            if (invocation.Get(option) is { } value)
            {
                yield return option.Name;
                yield return value;
            }
        }
    }
}
