using System.Runtime.Intrinsics;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Data;

/// <summary>
/// The order and the augmentation of the training samples of each epoch, a pure function of the seed, the epoch and the
/// samples: a run that resumes in the middle of an epoch draws what the interrupted one would have drawn, without replaying
/// anything. Allocates nothing once created.
/// </summary>
internal sealed class EpochOrder
{
    private const int LargestShift = 4;

    private readonly int[] _samples;
    private readonly int[] _order;
    private readonly Augmentation _augmentation;
    private readonly ulong _orderKey;
    private readonly ulong _augmentationKey;
    private int _epoch;

    /// <summary>Creates the order, at the beginning of epoch 0.</summary>
    /// <param name="samples">The samples to train on, by their numbers in the image set; copied.</param>
    /// <param name="batchSize">Samples of a full batch.</param>
    /// <param name="augmentation">How images are varied.</param>
    /// <param name="seed">The seed of the run.</param>
    public EpochOrder(ReadOnlySpan<int> samples, int batchSize, Augmentation augmentation, ulong seed)
    {
        Plan = new BatchPlan(samples.Length, batchSize);
        _samples = samples.ToArray();
        _order = new int[samples.Length];
        _augmentation = augmentation;
        _orderKey = Philox.Key(seed, RandomStream.EpochOrder);
        _augmentationKey = Philox.Key(seed, RandomStream.Augmentation);
        Epoch = 0;
    }

    /// <summary>How the samples fall into batches.</summary>
    public BatchPlan Plan { get; }

    /// <summary>The current epoch, from 0; setting it orders the samples for that epoch.</summary>
    public int Epoch
    {
        get => _epoch;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _epoch = value;
            _samples.CopyTo(_order.AsSpan());
            var random = new RandomSequence(_orderKey, (uint)value, 0);
            random.Shuffle<int>(_order);
        }
    }

    /// <summary>What to gather for a batch of the current epoch.</summary>
    /// <param name="batch">The batch, in [0, <c>Plan.BatchCount</c>).</param>
    /// <param name="requests">Receives the samples and their shifts and flips; at least as long as the batch.</param>
    /// <returns>The number of samples of the batch: of entries written.</returns>
    public int Fill(int batch, Span<ImageRequest> requests)
    {
        (int start, int length) = Plan.Batch(batch);
        for (int i = 0; i < length; i++)
            requests[i] = Request(_order[start + i]);
        return length;
    }

    private ImageRequest Request(int sample)
    {
        if (_augmentation == Augmentation.None)
            return new ImageRequest(sample, 0, 0, Flip: false);
        Vector128<uint> words = Philox.Words(_augmentationKey, (uint)sample, (uint)_epoch, 0, 0);
        bool flip = _augmentation == Augmentation.Crop4Flip && words.GetElement(2) >> 31 != 0;
        return new ImageRequest(sample, Shift(words.GetElement(0)), Shift(words.GetElement(1)), flip);
    }

    private static sbyte Shift(uint word) =>
        (sbyte)((int)((ulong)word * (2 * LargestShift + 1) >> 32) - LargestShift);
}
