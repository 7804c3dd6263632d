using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;

namespace BoostingTicket.Training.Tests.Attacks;

/// <summary>Two linear layers with a rectifier between, or one, in plain double precision and with gradients by hand: what
/// attacks are checked on. Offered to them in float32.</summary>
internal sealed class TinyNetwork : IAttackModel
{
    private readonly double[,] _hidden;
    private readonly double[,] _output;
    private readonly double[] _bias;
    private float[] _images = [];

    public TinyNetwork(int batch, FeatureShape shape, int classes, int hidden, int seed, double scale = 1)
    {
        var random = new Random(seed);
        Batch = batch;
        Shape = shape;
        Classes = classes;
        int last = hidden == 0 ? shape.Length : hidden;
        _hidden = new double[hidden, shape.Length];
        _output = new double[classes, last];
        _bias = [.. Enumerable.Range(0, classes).Select(_ => random.NextDouble() - 0.5)];
        for (int h = 0; h < hidden; h++)
        {
            for (int e = 0; e < shape.Length; e++)
                _hidden[h, e] = scale * (random.NextDouble() - 0.5);
        }
        for (int j = 0; j < classes; j++)
        {
            for (int h = 0; h < last; h++)
                _output[j, h] = scale * (random.NextDouble() - 0.5);
        }
    }

    public int Batch { get; }

    public FeatureShape Shape { get; }

    public int Classes { get; }

    /// <summary>Batches classified.</summary>
    public int Queries { get; private set; }

    public double[] Logits(double[] x) => Output(Hidden(x));

    /// <summary>Gradient by the image of <c>Σ weights[j] logits[j]</c>.</summary>
    public double[] Gradient(double[] x, double[] weights)
    {
        double[] hidden = Hidden(x), back = new double[hidden.Length];
        for (int h = 0; h < hidden.Length; h++)
        {
            for (int j = 0; j < Classes; j++)
                back[h] += weights[j] * _output[j, h];
        }
        if (_hidden.GetLength(0) == 0)
            return back;
        double[] gradient = new double[x.Length];
        for (int h = 0; h < hidden.Length; h++)
        {
            for (int e = 0; e < x.Length && hidden[h] > 0; e++)
                gradient[e] += back[h] * _hidden[h, e];
        }
        return gradient;
    }

    public void Logits(ReadOnlySpan<float> images, Span<float> logits)
    {
        Queries++;
        for (int s = 0; s < Batch; s++)
        {
            double[] row = Logits(Image(images, s));
            for (int j = 0; j < Classes; j++)
                logits[s * Classes + j] = (float)row[j];
        }
    }

    public void Forward(ReadOnlySpan<float> images, Span<float> logits)
    {
        _images = images.ToArray();
        Logits(images, logits);
    }

    public void Backward(ReadOnlySpan<float> logitGradient, Span<float> imageGradient)
    {
        for (int s = 0; s < Batch; s++)
        {
            double[] weights = [.. logitGradient.Slice(s * Classes, Classes).ToArray().Select(value => (double)value)];
            double[] gradient = Gradient(Image(_images, s), weights);
            for (int e = 0; e < gradient.Length; e++)
                imageGradient[s * Shape.Length + e] = (float)gradient[e];
        }
    }

    /// <summary>A batch of random images, labelled as the network classifies them.</summary>
    public AttackBatch Images(int seed)
    {
        var random = new Random(seed);
        var batch = new AttackBatch(Batch, Shape);
        for (int e = 0; e < batch.Clean.Length; e++)
            batch.Clean[e] = (float)random.NextDouble();
        for (int s = 0; s < Batch; s++)
        {
            double[] logits = Logits(Image(batch.Clean, s));
            batch.Labels[s] = Array.IndexOf(logits, logits.Max());
            batch.Samples[s] = 100 + s;
        }
        return batch;
    }

    /// <summary>An image in double precision.</summary>
    public double[] Image(ReadOnlySpan<float> images, int sample) =>
        [.. images.Slice(sample * Shape.Length, Shape.Length).ToArray().Select(value => (double)value)];

    private double[] Hidden(double[] x)
    {
        if (_hidden.GetLength(0) == 0)
            return x;
        double[] hidden = new double[_hidden.GetLength(0)];
        for (int h = 0; h < hidden.Length; h++)
        {
            for (int e = 0; e < x.Length; e++)
                hidden[h] += _hidden[h, e] * x[e];
            hidden[h] = Math.Max(hidden[h], 0);
        }
        return hidden;
    }

    private double[] Output(double[] hidden)
    {
        double[] logits = [.. _bias];
        for (int j = 0; j < Classes; j++)
        {
            for (int h = 0; h < hidden.Length; h++)
                logits[j] += _output[j, h] * hidden[h];
        }
        return logits;
    }
}
