using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Models;

/// <summary>Models of one construction, told apart by their names.</summary>
internal interface IModelFamily
{
    /// <summary>What it is, in one line for people.</summary>
    string Description { get; }

    /// <summary>The names that lists show.</summary>
    IReadOnlyList<string> Names { get; }

    /// <summary>The form of all names, numbers in capitals: <c>wrn-DEPTH-WIDTH</c>.</summary>
    string Syntax { get; }

    /// <summary>Shape of the images for which lists describe the models.</summary>
    FeatureShape UsualInput { get; }

    /// <summary>Builds the model of a name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="options">What it is built for.</param>
    /// <returns>The graph, under the shortest of the model's names; null if the name is not of this family.</returns>
    /// <exception cref="ConfigurationException">The name is of this family but its numbers are not possible.</exception>
    /// <exception cref="ArgumentException">The model cannot be built for such images.</exception>
    NetworkGraph? Build(string name, ModelOptions options);

    /// <summary>The width of a model, which <c>--width</c> and the scale of experiments change; null where it has no single one,
    /// or where the name is not of this family.</summary>
    /// <param name="name">The name.</param>
    ModelWidth? Width(string name) => null;

    /// <summary>The model of a name whose size is no single width, smaller.</summary>
    /// <param name="name">A name of this family.</param>
    /// <param name="factor">What its numbers of channels are multiplied by, in (0, 1].</param>
    string Scaled(string name, double factor) => name;

    /// <summary>How public code names the tensors, for import and export.</summary>
    PublicNames PublicNames => PublicNames.None;

    /// <summary>The models of this family that tensors of such shapes may belong to; whoever asks compares all names and
    /// shapes.</summary>
    /// <param name="shapes">Shapes by name, at least one of them a model's.</param>
    IEnumerable<(string Name, ModelOptions Options)> Candidates(IReadOnlyDictionary<string, IReadOnlyList<long>> shapes);
}
