using System.Globalization;

namespace BoostingTicket.Training.Models;

/// <summary>The one number that makes a model wide or narrow.</summary>
/// <param name="Value">The model's own: channels of the first stage, or a widening factor.</param>
/// <param name="Widest">That of the widest of the paper's models of its family.</param>
/// <param name="Least">The least that a scaled-down experiment still measures anything with.</param>
/// <param name="Name">The name of the same model in another width, from 1 on.</param>
internal sealed record ModelWidth(int Value, int Widest, int Least, Func<int, string> Name)
{
    /// <summary>The name of the same model in another width, to scale a preset down without knowing its depth.</summary>
    /// <param name="model">Such as <c>resnet18</c>, <c>vgg16-w16</c> or <c>wrn-34-10</c>.</param>
    /// <param name="width">Channels of the first stage or widening factor, as typed.</param>
    /// <exception cref="ConfigurationException">The width is no positive number, the model has no single width, or there is no
    /// such model.</exception>
    public static string Change(string model, string width)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (!int.TryParse(width, NumberStyles.None, CultureInfo.InvariantCulture, out int channels) || channels < 1)
            throw new ConfigurationException($"{Setting.Named("width")} is '{width}'; give a whole number from 1 on.");
        return ModelCatalog.FamilyOf(model).Width(model)?.Name(channels) ?? throw new ConfigurationException(
            $"{Setting.Named("width")} does not apply to {model}; name the model that you want with {Setting.Named("model")}, "
            + $"such as "
            + "lenet-16-32-128.");
    }

    /// <summary>The width of a model whose usual width its short name leaves out: <c>vgg16</c> or <c>vgg16-w16</c>.</summary>
    /// <param name="name">The name.</param>
    /// <param name="model">The name of the usual width.</param>
    /// <param name="usual">Its channels.</param>
    /// <param name="largest">The most there may be.</param>
    /// <returns>The width; null if the name is another model's.</returns>
    internal static ModelWidth? OfChannels(string name, string model, int usual, int largest) =>
        ModelName.Width(name, model, usual, largest) is { } width
            ? new(width, usual, LeastChannels, channels => string.Create(CultureInfo.InvariantCulture, $"{model}-w{channels}"))
            : null;

    private const int LeastChannels = 4;
}
