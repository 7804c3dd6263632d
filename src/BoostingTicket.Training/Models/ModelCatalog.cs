using BoostingTicket.Engine.Graph;

namespace BoostingTicket.Training.Models;

/// <summary>The models there are, by name. Adding a family is one line in <see cref="Families"/> and what it refers to.</summary>
public static class ModelCatalog
{
    /// <summary>Every family.</summary>
    internal static IReadOnlyList<IModelFamily> Families { get; } =
    [
        new VggFamily(),
        new ResNetFamily(),
        new PreActResNetFamily(),
        new WideResNetFamily(),
        new LeNetFamily(),
    ];

    /// <summary>The names that lists show: those of the paper, and some of the field.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Families.SelectMany(family => family.Names)];

    /// <summary>Builds a model's graph; its values are the business of whoever puts it on a backend.</summary>
    /// <param name="name">One of <see cref="Names"/>, or any other name of a family: <c>vgg16-w16</c>, <c>wrn-16-4</c>.</param>
    /// <param name="options">What it is built for.</param>
    /// <returns>The graph, under the shortest of the model's names.</returns>
    /// <exception cref="ConfigurationException">There is no such model, or it cannot be built for such images.</exception>
    internal static NetworkGraph Build(string name, ModelOptions options)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(options);
        return Find(name, _ => options).Graph;
    }

    /// <summary>The family of a model.</summary>
    /// <param name="name">A name as for <see cref="Build"/>.</param>
    /// <exception cref="ConfigurationException">There is no such model.</exception>
    internal static IModelFamily FamilyOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Find(name, family => new ModelOptions(family.UsualInput)).Family;
    }

    /// <summary>Describes a model as built for its family's usual images and ten classes.</summary>
    /// <param name="name">A name as for <see cref="Build"/>.</param>
    /// <exception cref="ConfigurationException">There is no such model.</exception>
    public static ModelInfo Describe(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        (NetworkGraph graph, IModelFamily family) = Find(name, family => new ModelOptions(family.UsualInput));
        return ModelInfo.Of(graph, family.Description);
    }

    /// <summary>The descriptions of all <see cref="Names"/>.</summary>
    public static IReadOnlyList<ModelInfo> DescribeAll() => [.. Names.Select(Describe)];

    /// <summary>The model that tensors of such names and shapes are the parameters and statistics of; null if there is
    /// none.</summary>
    /// <param name="shapes">Shapes by name, of all parameters and statistics.</param>
    internal static NetworkGraph? Recognize(IReadOnlyDictionary<string, IReadOnlyList<long>> shapes)
    {
        ArgumentNullException.ThrowIfNull(shapes);
        foreach ((string name, ModelOptions options) in Families.SelectMany(family => family.Candidates(shapes)))
        {
            try
            {
                NetworkGraph graph = Build(name, options);
                if (graph.Table.All.Count == shapes.Count && graph.Table.All.All(parameter =>
                    shapes.TryGetValue(parameter.Name, out IReadOnlyList<long>? shape)
                    && shape.SequenceEqual(parameter.Spec.Dimensions.Select(dimension => (long)dimension))))
                {
                    return graph;
                }
            }
            catch (ConfigurationException)
            {
                // Numbers that no model has.
            }
        }

        return null;
    }

    private static (NetworkGraph Graph, IModelFamily Family) Find(string name, Func<IModelFamily, ModelOptions> options)
    {
        foreach (IModelFamily family in Families)
        {
            ModelOptions own = options(family);
            if (own.Classes < 2)
                throw new ConfigurationException($"The model {name} is to tell {own.Classes} classes apart; give at least 2.");
            try
            {
                if (family.Build(name, own) is { } graph)
                    return (own.Channels is { } channels ? Narrow(graph, channels) : graph, family);
            }
            catch (ArgumentException error)
            {
                throw new ConfigurationException(
                    $"The model {name} cannot be built for images of {own.Input} ({error.Message.TrimEnd('.')}); choose another "
                    + $"model or data set.",
                    error);
            }
            catch (OverflowException error)
            {
                throw new ConfigurationException(
                    $"The model {name} has over {int.MaxValue} parameters; choose a smaller one.", error);
            }
        }

        throw NearestName.Unknown("model", name, [.. Names, .. Families.Select(family => family.Syntax)]);
    }

    private static NetworkGraph Narrow(NetworkGraph graph, IReadOnlyList<int> channels)
    {
        try
        {
            return graph.Narrow(channels);
        }
        catch (ArgumentException error)
        {
            throw new ConfigurationException(
                $"The model {graph.Name} cannot have these numbers of channels ({error.Message.TrimEnd('.')}); give those of a "
                + "ticket of this model.",
                error);
        }
    }
}
