using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Optimization;

namespace BoostingTicket.Training.Tests.Optimization.Methods;

/// <summary>The training methods as their papers and authors' code have them, step by step on a <see
/// cref="PlainNetwork"/>.</summary>
internal sealed class PlainTraining(PlainNetwork network, TrainingSettings settings, AttackSettings attack, ulong seed)
{
    private readonly double _epsilon = (float)attack.Epsilon;
    private readonly double _stepSize = (float)attack.StepSize;
    private double[]? _perturbation;

    /// <summary>Sum of the losses of the last step.</summary>
    public double Loss { get; private set; }

    /// <summary>Samples of the last step that were classified correctly.</summary>
    public int Correct { get; private set; }

    /// <summary>One step of the weights.</summary>
    public void Step(double[] images, int[] labels, int[] samples, int epoch)
    {
        MethodSettings options = settings.MethodOptions;
        Dictionary<string, double[]> gradients = settings.Method switch
        {
            TrainingMethod.Natural => Plain(images, labels),
            TrainingMethod.Fgsm => Plain(Ascend(images, images, labels, _epsilon, _epsilon), labels),
            TrainingMethod.FgsmRs => Plain(
                Ascend(Uniform(images, _epsilon, samples, epoch), images, labels, options.FgsmRsStep * _epsilon, _epsilon),
                labels),
            TrainingMethod.NFgsm => Plain(
                Ascend(Uniform(images, options.Noise * _epsilon, samples, epoch), images, labels, options.NoiseStep
                    * _epsilon, 1), labels),
            TrainingMethod.Pgd => Plain(Pgd(images, labels, samples, epoch), labels),
            TrainingMethod.Free => Free(images, labels),
            TrainingMethod.Yopo => Yopo(images, labels, samples, epoch),
            TrainingMethod.Trades => Trades(images, labels, samples, epoch),
            _ => throw new NotSupportedException(),
        };
        network.Step(gradients, settings.LearningRate, settings.WeightDecay);
    }

    private Dictionary<string, double[]> Plain(double[] images, int[] labels)
    {
        double[] logits = network.Forward(images, batchStatistics: true, updateStatistics: true);
        network.Backward(CrossEntropy(logits, labels, 1.0 / labels.Length));
        return Copy(network.Gradients);
    }

    // One step up the loss of the network with running statistics.
    private double[] Ascend(double[] from, double[] clean, int[] labels, double step, double radius)
    {
        network.Backward(CrossEntropy(network.Forward(from, batchStatistics: false), labels, 1));
        return Move(from, clean, network.ImageGradient, step, radius);
    }

    private double[] Pgd(double[] images, int[] labels, int[] samples, int epoch)
    {
        double[] x = Uniform(images, _epsilon, samples, epoch);
        for (int step = 0; step < attack.Steps; step++)
            x = Ascend(x, images, labels, _stepSize, _epsilon);
        return x;
    }

    private Dictionary<string, double[]> Free(double[] images, int[] labels)
    {
        _perturbation ??= new double[images.Length];
        double[] x = [.. images.Zip(_perturbation, (pixel, move) => Math.Clamp(pixel + move, 0, 1))];
        Dictionary<string, double[]> gradients = Plain(x, labels);
        double[] moved = Move(x, images, network.ImageGradient, _epsilon, _epsilon);
        _perturbation = [.. moved.Zip(images, (to, from) => to - from)];
        return gradients;
    }

    private Dictionary<string, double[]> Yopo(double[] images, int[] labels, int[] samples, int epoch)
    {
        double[] x = Uniform(images, _epsilon, samples, epoch);
        var sums = new Dictionary<string, double[]>();
        for (int outer = 0; outer < settings.MethodOptions.OuterSteps; outer++)
        {
            Plain(x, labels);
            for (int inner = 0; inner < settings.MethodOptions.InnerSteps; inner++)
                x = Move(x, images, network.ImageGradient, _stepSize, _epsilon);
            network.BackwardFirstLayer(x);
            Add(sums, network.Gradients);
        }
        return sums;
    }

    private Dictionary<string, double[]> Trades(double[] images, int[] labels, int[] samples, int epoch)
    {
        int batch = labels.Length;
        double[] reference = network.Forward(images, batchStatistics: false);
        double[] x = Normal(images, 0.001, samples, epoch);
        for (int step = 0; step < attack.Steps; step++)
        {
            double[] logits = network.Forward(x, batchStatistics: false);
            network.Backward([.. Softmax(logits).Zip(Softmax(reference), (q, p) => q - p)]);
            x = Move(x, images, network.ImageGradient, _stepSize, _epsilon);
        }

        double beta = settings.MethodOptions.Beta;
        double[] clean = network.Forward(images, batchStatistics: true),
        adversarial = network.Forward(x, batchStatistics: true, updateStatistics: true);
        double[] p = Softmax(clean), q = Softmax(adversarial);
        var sums = new Dictionary<string, double[]>();
        network.Backward([.. q.Zip(p, (a, b) => beta / batch * (a - b))]);
        Add(sums, network.Gradients);

        CrossEntropy(adversarial, labels, 1);
        int correct = Correct;
        network.Forward(images, batchStatistics: true, updateStatistics: true);
        double[] slope = CrossEntropy(clean, labels, 1.0 / batch);
        for (int sample = 0; sample < batch; sample++)
        {
            int[] row = [.. Enumerable.Range(sample * PlainNetwork.Classes, PlainNetwork.Classes)];
            double divergence = row.Sum(i => p[i] * Math.Log(p[i] / q[i]));
            foreach (int i in row)
                slope[i] += beta / batch * p[i] * (Math.Log(p[i] / q[i]) - divergence);
            Loss += beta * divergence;
        }
        Correct = correct;
        network.Backward(slope);
        Add(sums, network.Gradients);
        return sums;
    }

    private double[] CrossEntropy(double[] logits, int[] labels, double scale)
    {
        double[] slope = Softmax(logits);
        (Loss, Correct) = (0, 0);
        for (int sample = 0; sample < labels.Length; sample++)
        {
            int own = sample * PlainNetwork.Classes + labels[sample];
            Loss -= Math.Log(slope[own]);
            Correct += logits[own] == logits.Skip(sample * PlainNetwork.Classes).Take(PlainNetwork.Classes).Max() ? 1 : 0;
            slope[own]--;
        }
        return [.. slope.Select(value => scale * value)];
    }

    private static double[] Softmax(double[] logits)
    {
        double[] result = Array.ConvertAll(logits, Math.Exp);
        for (int first = 0; first < result.Length; first += PlainNetwork.Classes)
        {
            double sum = result.Skip(first).Take(PlainNetwork.Classes).Sum();
            for (int j = 0; j < PlainNetwork.Classes; j++)
                result[first + j] /= sum;
        }
        return result;
    }

    private static double[] Move(double[] from, double[] clean, double[] gradient, double step, double radius) =>
        [.. from.Select((pixel, i) =>
            Math.Clamp(Math.Clamp(pixel + step * Math.Sign(gradient[i]), clean[i] - radius, clean[i] + radius), 0, 1))];

    private double[] Uniform(double[] clean, double radius, int[] samples, int epoch) =>
        [.. clean.Select((pixel, i) => Math.Clamp(
            pixel + radius * (2.0 * Philox.Uniform(Words(i, samples, epoch)[i % 4]) - 1), 0, 1))];

    private double[] Normal(double[] clean, double deviation, int[] samples, int epoch) =>
        [.. clean.Select((pixel, i) =>
        {
            uint[] words = Words(i, samples, epoch);
            (float even, float odd) = Philox.Normal(words[i % 4 / 2 * 2], words[i % 4 / 2 * 2 + 1]);
            return pixel + deviation * (i % 2 == 0 ? even : odd);
        })];

    private uint[] Words(int i, int[] samples, int epoch)
    {
        var words = Philox.Words(
            Philox.Key(seed, RandomStream.TrainingAttack), (uint)(i % PlainNetwork.ImageLength / 4),
            (uint)samples[i / PlainNetwork.ImageLength], (uint)epoch, 0);
        return [words[0], words[1], words[2], words[3]];
    }

    private static Dictionary<string, double[]> Copy(Dictionary<string, double[]> gradients) =>
        gradients.ToDictionary(pair => pair.Key, pair => (double[])pair.Value.Clone());

    private static void Add(Dictionary<string, double[]> sums, Dictionary<string, double[]> gradients)
    {
        foreach ((string name, double[] gradient) in gradients)
            sums[name] = sums.TryGetValue(name, out double[]? sum)
                ? [.. sum.Zip(gradient, (a, b) => a + b)]
                : (double[])gradient.Clone();
    }
}
