using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BoostingTicket.TorchSharpSupport;

/// <summary>VGG-16 for 32x32 images with batch normalisation and a classifier of two linear layers.</summary>
internal sealed class Vgg16 : nn.Module<Tensor, Tensor>, IFoldable
{
    private const int Pool = 0;
    private static readonly int[] Widths = [1, 1, Pool, 2, 2, Pool, 4, 4, 4, Pool, 8, 8, 8, Pool, 8, 8, 8];

    private readonly InputNormalization _normalization = InputNormalization.Cifar10();
    private readonly List<NormalizedConvolution?> _feature = [];
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
                _feature.Add(null);
                continue;
            }
            Conv2d convolution = nn.Conv2d(inputs, factor * width, 3, padding: 1, bias: false);
            BatchNorm2d normalization = nn.BatchNorm2d(factor * width);
            feature.AddRange([convolution, normalization, nn.ReLU()]);
            _feature.Add(new NormalizedConvolution(convolution, normalization));
            inputs = factor * width;
        }
        _classifier = nn.Sequential(nn.Linear(inputs, 8 * width), nn.BatchNorm1d(8 * width), nn.ReLU(), nn.Linear(8 * width, 10));
        register_module("feature", nn.Sequential(feature));
        register_module("classifier", _classifier);
    }

    /// <inheritdoc/>
    public IEnumerable<NormalizedConvolution> Foldable => _feature.OfType<NormalizedConvolution>();

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        Tensor x = _normalization.forward(input);
        foreach (NormalizedConvolution? convolution in _feature)
        {
            x = convolution is null
                ? nn.functional.max_pool2d(x, 2)
                : nn.functional.relu(convolution.Forward(x));
        }
        return _classifier.forward(nn.functional.avg_pool2d(x, 2).flatten(1));
    }
}
