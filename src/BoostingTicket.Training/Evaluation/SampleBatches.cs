using BoostingTicket.Engine.Backends;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;

namespace BoostingTicket.Training.Evaluation;

/// <summary>Takes chosen samples of an image set to a network and its attacks, a batch at a time. The last batch is filled with
/// repeats that do not count, so that one plan serves every number of samples.</summary>
internal sealed class SampleBatches
{
    private readonly NetworkModel _model;
    private readonly DeviceImages _images;
    private readonly int[] _samples;
    private readonly ImageRequest[] _requests;
    private readonly int[] _chosen;
    private readonly float[] _logits;

    /// <summary>Prepares the batches.</summary>
    /// <param name="model">The network; its batch is theirs.</param>
    /// <param name="images">The image set on the network's device.</param>
    /// <param name="samples">Numbers of the samples.</param>
    public SampleBatches(NetworkModel model, DeviceImages images, int[] samples)
    {
        _model = model;
        _images = images;
        _samples = samples;
        Batch = new AttackBatch(model.Batch, model.Shape);
        _requests = new ImageRequest[model.Batch];
        _chosen = new int[model.Batch];
        _logits = new float[model.Batch * model.Classes];
    }

    /// <summary>The batch that was loaded last.</summary>
    public AttackBatch Batch { get; }

    /// <summary>How many batches so many samples take.</summary>
    public int Count(int samples) => (samples + Batch.Count - 1) / Batch.Count;

    /// <summary>Loads a batch.</summary>
    /// <param name="positions">Positions in the list of samples.</param>
    /// <param name="start">Index in <paramref name="positions"/> of the first to load.</param>
    /// <returns>The positions that count.</returns>
    public ReadOnlySpan<int> Load(int[] positions, int start)
    {
        int used = Math.Min(Batch.Count, positions.Length - start);
        for (int i = 0; i < used; i++)
            _chosen[i] = _samples[positions[start + i]];
        LoadSamples(_chosen.AsSpan(0, used));
        return positions.AsSpan(start, used);
    }

    /// <summary>Loads samples by their numbers, filled up with repeats of the last.</summary>
    public void LoadSamples(ReadOnlySpan<int> samples)
    {
        for (int i = 0; i < Batch.Count; i++)
        {
            int sample = samples[Math.Min(i, samples.Length - 1)];
            _requests[i] = new ImageRequest(sample, 0, 0, false);
            Batch.Samples[i] = sample;
            Batch.Labels[i] = _images.Set.Labels[sample];
        }
        Batch.Used = samples.Length;
        _images.Load(_requests, _model.Buffers, _model.Buffers.Clean);
        _model.Network.Backend.Download(_model.Buffers.Clean, Batch.Clean);
    }

    /// <summary>Shows the network images, on which <see cref="IsCorrect"/> then answers.</summary>
    /// <param name="images">As many as the batch has samples, in its order.</param>
    public void Classify(ReadOnlySpan<float> images) => _model.Logits(images, _logits);

    /// <summary>Counts what <see cref="Classify"/> answered on a sample of the batch.</summary>
    /// <returns>Whether its image was classified as its class.</returns>
    public bool Count(int index, AnswerCounts answers) =>
        answers.Add(_logits.AsSpan(index * _model.Classes, _model.Classes), Batch.Labels[index]);

    /// <summary>Whether the image of a sample of the batch was classified as its class.</summary>
    public bool IsCorrect(int index) =>
        AttackBatch.IsCorrect(_logits.AsSpan(index * _model.Classes, _model.Classes), Batch.Labels[index]);

    /// <summary>Makes sure that an attack stayed in its ball.</summary>
    /// <param name="title">What the attack is called.</param>
    /// <param name="epsilon">Radius of the ball, as it was given.</param>
    /// <returns>The largest perturbation.</returns>
    /// <exception cref="InvalidOperationException">It left the ball, or [0, 1].</exception>
    public float Measure(string title, double epsilon) =>
        AttackBall.Require(title, AttackBall.Measure(Batch.Clean, Batch.Adversarial), epsilon);
}
