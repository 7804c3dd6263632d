using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BoostingTicket.TorchSharpSupport;

/// <summary>VGG-16 for 32x32 images with batch normalisation and a classifier of two linear layers.</summary>
internal sealed class Vgg16 : nn.Module<Tensor, Tensor>
{
    private const int Pool = 0;
    private static readonly int[] Widths = [1, 1, Pool, 2, 2, Pool, 4, 4, 4, Pool, 8, 8, 8, Pool, 8, 8, 8];

    private readonly InputNormalization _normalization = InputNormalization.Cifar10();
    private readonly Sequential _feature;
    private readonly Sequential _classifier;

    /// <summary>Creates the network; 64 filters in the first convolution give the full width (14,987,722 parameters).</summary>
    public Vgg16(int width)
        : base(nameof(Vgg16))
    {
        var feature = new List<nn.Module<Tensor, Tensor>>();
        int inputs = 3;
        foreach (int factor in Widths)
        {
            if (factor == Pool)
            {
                feature.Add(nn.MaxPool2d(2));
                continue;
            }
            feature.Add(nn.Conv2d(inputs, factor * width, 3, padding: 1, bias: false));
            feature.Add(nn.BatchNorm2d(factor * width));
            feature.Add(nn.ReLU());
            inputs = factor * width;
        }
        _feature = nn.Sequential(feature);
        _classifier = nn.Sequential(nn.Linear(inputs, 8 * width), nn.BatchNorm1d(8 * width), nn.ReLU(), nn.Linear(8 * width, 10));
        register_module("feature", _feature);
        register_module("classifier", _classifier);
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        Tensor x = nn.functional.avg_pool2d(_feature.forward(_normalization.forward(input)), 2);
        return _classifier.forward(x.flatten(1));
    }
}
