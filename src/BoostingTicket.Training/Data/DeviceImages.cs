using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Data;

/// <summary>An image set whose pixels live on a device, from which batches are loaded. Loading allocates nothing.</summary>
internal sealed class DeviceImages : IDisposable
{
    private readonly IBackend _backend;
    private readonly ImageStore _store;
    private int[] _labels = [];
    private int[] _samples = [];

    /// <summary>Copies a set to a device.</summary>
    public DeviceImages(ImageSet set, IBackend backend)
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentNullException.ThrowIfNull(backend);
        Set = set;
        _backend = backend;
        _store = backend.CreateImageStore(set.Pixels, Shape(set));
    }

    /// <summary>The set.</summary>
    public ImageSet Set { get; }

    /// <summary>Shape of one image of a set.</summary>
    public static FeatureShape Shape(ImageSet set)
    {
        ArgumentNullException.ThrowIfNull(set);
        return new FeatureShape(set.Channels, set.Height, set.Width);
    }

    /// <summary>Loads images, labels and sample identities.</summary>
    /// <param name="requests">One for each sample of the batch.</param>
    /// <param name="buffers">Receives labels and identities.</param>
    /// <param name="destination">Receives the images.</param>
    public void Load(ReadOnlySpan<ImageRequest> requests, BatchBuffers buffers, Tensor destination)
    {
        LoadIdentities(requests, buffers);
        _backend.GatherImages(_store, requests, destination);
    }

    /// <summary>Loads labels and sample identities alone.</summary>
    /// <param name="requests">One for each sample of the batch.</param>
    /// <param name="buffers">Receives them.</param>
    public void LoadIdentities(ReadOnlySpan<ImageRequest> requests, BatchBuffers buffers)
    {
        ArgumentNullException.ThrowIfNull(buffers);
        if (_labels.Length < requests.Length)
        {
            _labels = new int[requests.Length];
            _samples = new int[requests.Length];
        }
        for (int i = 0; i < requests.Length; i++)
        {
            _samples[i] = requests[i].Index;
            _labels[i] = Set.Labels[requests[i].Index];
        }
        _backend.Upload(_labels.AsSpan(0, requests.Length), buffers.Labels);
        _backend.Upload(_samples.AsSpan(0, requests.Length), buffers.Samples);
    }

    /// <inheritdoc/>
    public void Dispose() => _store.Dispose();
}
