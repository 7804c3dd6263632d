using System.Globalization;

namespace BoostingTicket.Training.Tickets;

/// <summary>Changes the width in a model's name, to scale a preset down without knowing its depth.</summary>
public static class ModelWidth
{
    private static readonly string[] BaseWidthModels = ["resnet18", "vgg16"];

    /// <summary>The name of the same model in another width.</summary>
    /// <param name="model">Such as <c>resnet18</c>, <c>vgg16-w16</c> or <c>wrn-34-10</c>.</param>
    /// <param name="width">Channels of the first stage (ResNet-18, VGG-16) or widening factor (WideResNet), as typed.</param>
    /// <exception cref="ConfigurationException">The width is no positive number, or the model has no single width.</exception>
    public static string Change(string model, string width)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (!int.TryParse(width, NumberStyles.None, CultureInfo.InvariantCulture, out int channels) || channels < 1)
            throw new ConfigurationException($"--width is '{width}'; give a whole number from 1 on.");
        string[] parts = model.Split('-');
        if (parts is ["wrn", string depth, _])
            return string.Create(CultureInfo.InvariantCulture, $"wrn-{depth}-{channels}");
        if (BaseWidthModels.Contains(parts[0]))
            return string.Create(CultureInfo.InvariantCulture, $"{parts[0]}-w{channels}");
        throw new ConfigurationException($"--width does not apply to {model}; name the model that you want with --model, such as lenet-16-32-128.");
    }
}
