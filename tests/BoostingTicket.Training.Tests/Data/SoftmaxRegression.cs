using BoostingTicket.Training.Data;

namespace BoostingTicket.Training.Tests.Data;

/// <summary>The linear classifier, in plain double precision: what a data set must not be solvable by.</summary>
internal sealed class SoftmaxRegression(int inputs, int classes)
{
    // Pixels are centred about here, so that the bias is not all that is learned at first.
    private const double Centre = 0.3;

    private readonly double[] _weights = new double[classes * (inputs + 1)];
    private readonly double[] _input = new double[inputs + 1];
    private readonly double[] _scores = new double[classes];

    /// <summary>Stochastic gradient descent on the cross-entropy, a sample a step, at a rate that falls to zero.</summary>
    public void Train(ImageSet set, int epochs, double rate)
    {
        var random = new Random(1);
        int[] order = [.. Enumerable.Range(0, set.Count)];
        for (int epoch = 0; epoch < epochs; epoch++)
        {
            random.Shuffle(order);
            double step = rate * (1 - (double)epoch / epochs);
            foreach (int sample in order)
            {
                Score(set, sample);
                double largest = _scores.Max(), sum = _scores.Sum(score => Math.Exp(score - largest));
                for (int c = 0; c < classes; c++)
                {
                    double gradient = Math.Exp(_scores[c] - largest) / sum - (set.Labels[sample] == c ? 1 : 0);
                    Span<double> weights = _weights.AsSpan(c * _input.Length, _input.Length);
                    for (int i = 0; i < weights.Length; i++)
                        weights[i] -= step * gradient * _input[i];
                }
            }
        }
    }

    /// <summary>The share of samples whose label scores highest.</summary>
    public double Accuracy(ImageSet set)
    {
        int correct = 0;
        for (int sample = 0; sample < set.Count; sample++)
        {
            Score(set, sample);
            if (Array.IndexOf(_scores, _scores.Max()) == set.Labels[sample])
                correct++;
        }

        return (double)correct / set.Count;
    }

    private void Score(ImageSet set, int sample)
    {
        ReadOnlySpan<byte> pixels = set.Sample(sample);
        for (int i = 0; i < inputs; i++)
            _input[i] = pixels[i] / 255.0 - Centre;
        _input[inputs] = 1;
        for (int c = 0; c < classes; c++)
        {
            ReadOnlySpan<double> weights = _weights.AsSpan(c * _input.Length, _input.Length);
            double score = 0;
            for (int i = 0; i < weights.Length; i++)
                score += weights[i] * _input[i];
            _scores[c] = score;
        }
    }
}
