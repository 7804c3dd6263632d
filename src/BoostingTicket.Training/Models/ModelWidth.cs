using System.Globalization;

namespace BoostingTicket.Training.Models;

/// <summary>Changes the width in a model's name, to scale a preset down without knowing its depth.</summary>
public static class ModelWidth
{
    private static readonly string[] BaseWidthModels = ["resnet18", "preact-resnet18", "preact-resnet18-v2", "vgg16"];

    /// <summary>The name of the same model in another width.</summary>
    /// <param name="model">Such as <c>resnet18</c>, <c>vgg16-w16</c> or <c>wrn-34-10</c>.</param>
    /// <param name="width">Channels of the first stage (ResNet-18, PreActResNet-18, VGG-16) or widening factor (WideResNet), as
    /// typed.</param>
    /// <exception cref="ConfigurationException">The width is no positive number, or the model has no single width.</exception>
    public static string Change(string model, string width)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (!int.TryParse(width, NumberStyles.None, CultureInfo.InvariantCulture, out int channels) || channels < 1)
            throw new ConfigurationException($"{Setting.Named("width")} is '{width}'; give a whole number from 1 on.");
        string[] parts = model.Split('-');
        if (parts is ["wrn", string depth, _, .. [] or ["silu"]])
            return string.Create(CultureInfo.InvariantCulture, $"wrn-{depth}-{channels}{(parts.Length > 3 ? "-silu" : "")}");
        string usual = parts[^1].StartsWith('w') && parts.Length > 1 ? string.Join('-', parts[..^1]) : model;
        if (BaseWidthModels.Contains(usual))
            return string.Create(CultureInfo.InvariantCulture, $"{usual}-w{channels}");
        throw new ConfigurationException($"{Setting.Named("width")} does not apply to {model}; name the model that you want with {Setting.Named("model")}, such as "
            + "lenet-16-32-128.");
    }
}
