using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Tests.Golden;

namespace BoostingTicket.Training.Tests.Attacks;

/// <summary>The recorded course of a published attack; see tests/golden/README.md for its tensors, [rounds, entries, samples,
/// …].</summary>
/// <param name="file">The golden values of the attacks.</param>
/// <param name="name">Name of the attack.</param>
internal sealed class RecordedAttack(GoldenFile file, string name)
{
    // Every recorded course was seen to depend on no rounding by more than 1e-5.
    private const double Tolerance = 5e-5;

    private readonly Dictionary<string, float[]> _tensors = [];

    /// <summary>Radius of the ball.</summary>
    public float Epsilon { get; } = (float)file.Constant("epsilon");

    /// <summary>Key of the random numbers.</summary>
    public ulong Stream { get; } = (ulong)file.Constant("stream");

    /// <summary>Samples.</summary>
    public int Count => (int)file.Shape($"{name}.clean")[0];

    /// <summary>Entries of a round whose images were recorded.</summary>
    public int[] ImagesAt => file.Integers($"{name}.images.at");

    /// <summary>Largest relative departure seen so far.</summary>
    public double Worst { get; private set; }

    /// <summary>A number that the attack was recorded with.</summary>
    public int Constant(string key) => (int)file.Constant($"{name}.{key}");

    /// <summary>A step size that the attack was recorded with.</summary>
    public float StepSize => (float)file.Constant($"{name}.step_size");

    /// <summary>The samples.</summary>
    public AttackBatch Batch()
    {
        IReadOnlyList<long> shape = file.Shape($"{name}.clean");
        var batch = new AttackBatch(Count, new FeatureShape((int)shape[1], (int)shape[2], (int)shape[3]));
        file[$"{name}.clean"].CopyTo(batch.Clean, 0);
        file.Integers($"{name}.labels").CopyTo(batch.Labels, 0);
        file.Integers($"{name}.samples").CopyTo(batch.Samples, 0);
        return batch;
    }

    /// <summary>Rounds of a tensor.</summary>
    public int Rounds(string tensor) => (int)file.Shape($"{name}.{tensor}")[0];

    /// <summary>An entry of a round.</summary>
    public ReadOnlySpan<float> Entry(string tensor, int round, int entry)
    {
        if (!_tensors.TryGetValue(tensor, out float[]? values))
            _tensors[tensor] = values = file[$"{name}.{tensor}"];
        IReadOnlyList<long> shape = file.Shape($"{name}.{tensor}");
        int length = values.Length / (int)(shape[0] * shape[1]);
        return values.AsSpan((round * (int)shape[1] + entry) * length, length);
    }

    /// <summary>Fails where values depart from an entry.</summary>
    public void Follows(string tensor, int round, int entry, ReadOnlySpan<double> actual)
    {
        ReadOnlySpan<float> expected = Entry(tensor, round, entry);
        Assert.That(actual.Length, Is.EqualTo(expected.Length), tensor);
        for (int i = 0; i < expected.Length; i++)
        {
            double error = Math.Abs(actual[i] - expected[i]) / (1 + Math.Abs(expected[i]));
            if (!(error <= Tolerance))
                Assert.Fail($"{name}.{tensor}: value {i} of entry {entry} of round {round} is {actual[i]}, not {expected[i]}.");
            Worst = Math.Max(Worst, error);
        }
    }

    /// <summary>Fails where values depart from an entry.</summary>
    public void Follows(string tensor, int round, int entry, ReadOnlySpan<float> actual)
    {
        double[] values = new double[actual.Length];
        for (int i = 0; i < values.Length; i++)
            values[i] = actual[i];
        Follows(tensor, round, entry, values);
    }
}
