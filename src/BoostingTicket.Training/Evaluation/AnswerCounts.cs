using System.Globalization;
using BoostingTicket.Training.Attacks;

namespace BoostingTicket.Training.Evaluation;

/// <summary>What a network answered on clean images, and what is wrong with a network that answers so: accuracies of such a
/// network look like any other number.</summary>
/// <param name="classes">Classes, which labels and logits go by.</param>
internal sealed class AnswerCounts(int classes)
{
    /// <summary>Fewer samples say too little for a warning about all of them.</summary>
    public const int FewestSamples = 20;

    /// <summary>Share of the samples that one class is answered for, from which on the network answers that class whatever it
    /// sees.</summary>
    public const double OneClass = 0.95;

    // A data set that consists of one class says nothing about it.
    private const double LargestLabelShare = 0.75;

    private readonly int[] _answers = new int[classes];
    private readonly int[] _labels = new int[classes];

    /// <summary>Classes.</summary>
    public int Classes => _answers.Length;

    /// <summary>Samples.</summary>
    public int Samples { get; private set; }

    /// <summary>Samples classified correctly.</summary>
    public int Correct { get; private set; }

    /// <summary>Samples with a logit that is NaN or infinite; none of them is correct.</summary>
    public int NotFinite { get; private set; }

    /// <summary>Counts a sample.</summary>
    /// <param name="logits">Its logits, one a class.</param>
    /// <param name="label">Its class.</param>
    /// <returns>Whether it is classified correctly.</returns>
    public bool Add(ReadOnlySpan<float> logits, int label)
    {
        Samples++;
        _labels[label]++;
        int largest = 0;
        for (int j = 0; j < logits.Length; j++)
        {
            if (!float.IsFinite(logits[j]))
            {
                NotFinite++;
                return false;
            }
            if (logits[j] > logits[largest])
                largest = j;
        }
        _answers[largest]++;
        bool correct = AttackBatch.IsCorrect(logits, label);
        Correct += correct ? 1 : 0;
        return correct;
    }

    /// <summary>Forgets all samples.</summary>
    public void Clear()
    {
        Array.Clear(_answers);
        Array.Clear(_labels);
        Samples = Correct = NotFinite = 0;
    }

    /// <summary>What is wrong, a sentence each: logits that are no numbers, one class for all images, accuracy no better than
    /// chance.</summary>
    public IReadOnlyList<string> Warnings()
    {
        List<string> warnings = [];
        if (NotFinite > 0)
            warnings.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"The network's outputs for {NotFinite:N0} of {Samples:N0} images are NaN or infinite; these images count as "
                + $"wrong. Its weights are unusable: go back to an earlier file, or train again at a lower "
                + $"learning rate."));
        int frequent = _labels.Max(), most = _answers.Max(), answer = Array.IndexOf(_answers, most);
        if (Samples < FewestSamples || NotFinite == Samples || frequent > LargestLabelShare * Samples)
            return warnings;
        if (most >= OneClass * Samples)
            warnings.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"The network answers class {answer} for {most:N0} of {Samples:N0} images, whatever they show; it has learned "
                + $"nothing, and its accuracies say nothing about robustness."));
        else if (IsChance)
            warnings.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"Clean accuracy, {(double)Correct / Samples:P1} of {Samples:N0} images, is no better than chance: always "
                + $"answering the most frequent class gives {(double)frequent / Samples:P1}. The network has learned nothing "
                + $"measurable, so its robust accuracy means nothing."));
        return warnings;
    }

    /// <summary>Whether clean accuracy is, at a confidence of 95 %, no better than always answering the most frequent
    /// class.</summary>
    public bool IsChance => Samples > 0 && WilsonInterval.Of(Correct, Samples).Low <= (double)_labels.Max() / Samples;
}
