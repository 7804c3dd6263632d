using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Checkpoints;

/// <summary>The styles that exports know: one for every model, and those of the model's family.</summary>
internal static class PyTorchStyle
{
    /// <summary>The style of whoever names none: the names of this program.</summary>
    public const string Usual = "pytorch";

    private static readonly ExportStyle Own = new(Usual, "any model under the names that this program gives its tensors");

    /// <summary>Every style.</summary>
    public static IReadOnlyList<ExportStyle> All { get; } =
        [Own, .. ModelCatalog.Families.SelectMany(family => family.PublicNames.Styles)];

    /// <summary>The style of a name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="model">Name of the model to export.</param>
    /// <exception cref="ConfigurationException">There is no such style, or not for the model; or no such model.</exception>
    public static ExportStyle Find(string name, string model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (All.All(style => style.Name != name))
            throw NearestName.Unknown("style", name, [.. All.Select(style => style.Name)]);
        ExportStyle[] fitting =
            [Own, .. ModelCatalog.FamilyOf(model).PublicNames.Styles.Where(style => style.IsFor(model))];
        return fitting.FirstOrDefault(style => style.Name == name) ?? throw new ConfigurationException(
            $"The style {name} is not for the model {model}; choose one of: "
            + $"{string.Join(", ", fitting.Select(other => other.Name))}.");
    }
}
