using BoostingTicket.Engine.Graph;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Tests.Optimization.Methods;

/// <summary>Normalised images, a 3x3 convolution, batch normalisation, a rectifier and a linear layer in plain double precision,
/// with gradients by hand and masked SGD: what training methods are checked on.</summary>
internal sealed class PlainNetwork
{
    public const int Channels = 2, Size = 4, Filters = 3, Classes = 3, Pixels = Size * Size, ImageLength = Channels * Pixels;

    private const int Hidden = Filters * Pixels;
    private const double Epsilon = 1e-5f, RunningShare = 0.1f;

    private static readonly float[] Mean = [0.4f, 0.5f], Deviation = [0.25f, 0.3f];

    private readonly Dictionary<string, double[]> _velocities = [];
    private readonly bool[] _kept;
    private double[] _input = [], _map = [], _normal = [], _rectified = [], _mapGradient = [];
    private double[] _inverse = [];
    private bool _batchStatistics;

    /// <summary>Takes over the values of a network of <see cref="Graph"/>.</summary>
    /// <param name="state">Initial values.</param>
    /// <param name="mask">A 1 for each weight of the convolution that is kept.</param>
    public PlainNetwork(ModelState state, byte[] mask)
    {
        foreach (Parameter parameter in state.Table.All)
            Values[parameter.Name] = Array.ConvertAll(state[parameter].ToArray(), value => (double)value);
        foreach (Parameter parameter in state.Table.Trained)
            _velocities[parameter.Name] = new double[parameter.Length];
        _kept = Array.ConvertAll(mask, value => value != 0);
        Mask("conv.weight");
    }

    /// <summary>The same network for the engine.</summary>
    public static NetworkGraph Graph
    {
        get
        {
            var builder = new GraphBuilder("plain", new(Channels, Size, Size));
            Node x = builder.Normalize("normalize", builder.Input, Mean, Deviation);
            x = builder.Convolution("conv", x, Filters, 3, padding: 1);
            x = builder.Relu(builder.BatchNormalization("bn", x));
            return builder.Build(builder.Linear("fc", x, Classes));
        }
    }

    /// <summary>Parameters and running statistics.</summary>
    public Dictionary<string, double[]> Values { get; } = [];

    /// <summary>Gradients of the last backward pass, by parameter.</summary>
    public Dictionary<string, double[]> Gradients { get; } = [];

    /// <summary>Gradient of the images of the last backward pass.</summary>
    public double[] ImageGradient { get; private set; } = [];

    public double[] Forward(double[] images, bool batchStatistics, bool updateStatistics = false)
    {
        int batch = images.Length / ImageLength;
        _batchStatistics = batchStatistics;
        _input = Normalize(images);
        _map = new double[batch * Hidden];
        Visit(batch, (input, output, weight) => _map[output] += Values["conv.weight"][weight] * _input[input]);
        _normal = new double[_map.Length];
        _rectified = new double[_map.Length];
        _inverse = new double[Filters];
        for (int filter = 0; filter < Filters; filter++)
        {
            int[] places = Places(batch, filter);
            double mean = Values["bn.running_mean"][filter], variance = Values["bn.running_var"][filter];
            if (batchStatistics)
            {
                double own = places.Average(at => _map[at]);
                mean = own;
                variance = places.Average(at => (_map[at] - own) * (_map[at] - own));
                if (updateStatistics)
                {
                    Values["bn.running_mean"][filter] += RunningShare * (mean - Values["bn.running_mean"][filter]);
                    double unbiased = variance * places.Length / (places.Length - 1);
                    Values["bn.running_var"][filter] += RunningShare * (unbiased - Values["bn.running_var"][filter]);
                }
            }
            _inverse[filter] = 1 / Math.Sqrt(variance + Epsilon);
            foreach (int at in places)
            {
                _normal[at] = (_map[at] - mean) * _inverse[filter];
                _rectified[at] = Math.Max(0, Values["bn.weight"][filter] * _normal[at] + Values["bn.bias"][filter]);
            }
        }
        double[] logits = new double[batch * Classes];
        for (int i = 0; i < logits.Length; i++)
        {
            int sample = i / Classes, label = i % Classes;
            logits[i] = Values["fc.bias"][label];
            for (int h = 0; h < Hidden; h++)
                logits[i] += Values["fc.weight"][label * Hidden + h] * _rectified[sample * Hidden + h];
        }
        return logits;
    }

    /// <summary>Gradients of parameters and images for a gradient of the logits of the last forward pass.</summary>
    public void Backward(double[] logitGradient)
    {
        int batch = logitGradient.Length / Classes;
        double[] slope = new double[batch * Hidden];
        foreach (Parameter parameter in Graph.Table.Trained)
            Gradients[parameter.Name] = new double[parameter.Length];
        for (int i = 0; i < logitGradient.Length; i++)
        {
            int sample = i / Classes, label = i % Classes;
            Gradients["fc.bias"][label] += logitGradient[i];
            for (int h = 0; h < Hidden; h++)
            {
                Gradients["fc.weight"][label * Hidden + h] += logitGradient[i] * _rectified[sample * Hidden + h];
                slope[sample * Hidden + h] += logitGradient[i] * Values["fc.weight"][label * Hidden + h];
            }
        }
        _mapGradient = new double[slope.Length];
        for (int filter = 0; filter < Filters; filter++)
        {
            int[] places = Places(batch, filter);
            foreach (int at in places)
                slope[at] = _rectified[at] > 0 ? slope[at] : 0;
            double sum = places.Sum(at => slope[at]), product = places.Sum(at => slope[at] * _normal[at]);
            Gradients["bn.bias"][filter] = sum;
            Gradients["bn.weight"][filter] = product;
            foreach (int at in places)
            {
                double centred = _batchStatistics ? slope[at] - (sum + _normal[at] * product) / places.Length : slope[at];
                _mapGradient[at] = Values["bn.weight"][filter] * _inverse[filter] * centred;
            }
        }
        FirstLayer(_input);
        double[] gradient = new double[batch * ImageLength];
        Visit(batch, (input, output, weight) => gradient[input] += Values["conv.weight"][weight] * _mapGradient[output]);
        for (int i = 0; i < gradient.Length; i++)
            gradient[i] /= Deviation[i / Pixels % Channels];
        ImageGradient = gradient;
    }

    /// <summary>The convolution's gradient at other images for the output gradient of the last backward pass.</summary>
    public void BackwardFirstLayer(double[] images) => FirstLayer(Normalize(images));

    /// <summary>One step of masked SGD with momentum 0.9 along given gradients.</summary>
    public void Step(Dictionary<string, double[]> gradients, double rate, double decay)
    {
        foreach ((string name, double[] gradient) in gradients)
        {
            for (int i = 0; i < gradient.Length; i++)
            {
                _velocities[name][i] = 0.9 * _velocities[name][i] + gradient[i] + decay * Values[name][i];
                Values[name][i] -= rate * _velocities[name][i];
            }
        }
        Mask("conv.weight");
    }

    private static double[] Normalize(double[] images) =>
        [.. images.Select((pixel, i) => (pixel - Mean[i / Pixels % Channels]) / Deviation[i / Pixels % Channels])];

    private static int[] Places(int batch, int filter) =>
        [.. Enumerable.Range(0, batch * Pixels).Select(i => i / Pixels * Hidden + filter * Pixels + i % Pixels)];

    private void FirstLayer(double[] input)
    {
        double[] gradient = Gradients["conv.weight"] = new double[Filters * Channels * 9];
        Visit(input.Length / ImageLength, (from, to, weight) => gradient[weight] += input[from] * _mapGradient[to]);
    }

    // Calls for every product of the convolution.
    private static void Visit(int batch, Action<int, int, int> product)
    {
        for (int output = 0; output < batch * Hidden; output++)
        {
            int sample = output / Hidden, filter = output / Pixels % Filters, row = output % Pixels / Size,
            column = output % Size;
            for (int tap = 0; tap < Channels * 9; tap++)
            {
                int channel = tap / 9, y = row + tap % 9 / 3 - 1, x = column + tap % 3 - 1;
                if (y is >= 0 and < Size && x is >= 0 and < Size)
                    product(sample * ImageLength + channel * Pixels + y * Size + x, output, filter * Channels * 9 + tap);
            }
        }
    }

    private void Mask(string name)
    {
        for (int i = 0; i < _kept.Length; i++)
        {
            if (!_kept[i])
                Values[name][i] = _velocities[name][i] = 0;
        }
    }
}
