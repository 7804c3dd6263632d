using System.Runtime.CompilerServices;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cpu;

/// <summary>8-bit images in native memory: image, channel, row, column.</summary>
internal sealed unsafe class CpuImageStore : ImageStore
{
    private readonly NativeBlock _memory;

    public CpuImageStore(ReadOnlySpan<byte> pixels, FeatureShape shape)
    {
        if (shape.Channels <= 0 || shape.Height <= 0 || shape.Width <= 0 || pixels.Length % shape.Length != 0)
            throw new ArgumentException($"{pixels.Length} pixels are not a whole number of images of shape {shape}.");
        Count = pixels.Length / shape.Length;
        Shape = shape;
        _memory = new NativeBlock(pixels.Length);
        pixels.CopyTo(new Span<byte>(_memory.Data, pixels.Length));
    }

    public override int Count { get; }

    public override FeatureShape Shape { get; }

    public byte* Data => _memory.Data;

    public override void Dispose() => _memory.Dispose();

    public static CpuImageStore Of(ImageStore store) => store as CpuImageStore
        ?? throw new ArgumentException("The image store belongs to another backend than the CPU's.", nameof(store));
}

internal sealed unsafe partial class CpuBackend<TLanes, TVector>
{
    public ImageStore CreateImageStore(ReadOnlySpan<byte> pixels, FeatureShape shape) => new CpuImageStore(pixels, shape);

    public void GatherImages(ImageStore store, ReadOnlySpan<ImageRequest> requests, Tensor destination)
    {
        CpuImageStore images = CpuImageStore.Of(store);
        CpuTensor to = CpuTensor.Of(destination);
        if (images.Shape != to.Shape)
            throw new ArgumentException($"Images of shape {images.Shape} do not fit the tensor {to}.");
        if (requests.Length != to.Batch)
            throw new ArgumentException($"{requests.Length} requests do not fit the {to.Batch} samples of the tensor {to}.");
        foreach (ref readonly ImageRequest request in requests)
        {
            if ((uint)request.Index >= (uint)images.Count)
                throw new ArgumentException($"There is no image {request.Index} in a store of {images.Count}.");
        }
        float* values = stackalloc float[256];
        for (int value = 0; value < 256; value++)
            values[value] = value / 255f;
        fixed (ImageRequest* first = requests)
        {
            var job = new GatherJob
            {
                Grid = new PlaneGrid(to),
                Shape = to.Shape,
                Batch = to.Batch,
                Images = images.Data,
                Requests = first,
                Values = values,
                Destination = to.Data,
                BlockStride = to.BlockStride,
                ChannelStride = to.ChannelStride,
            };
            _pool.Run(ref job, job.Grid.Items);
        }
    }

    private struct GatherJob : IParallelJob
    {
        public PlaneGrid Grid;
        public FeatureShape Shape;
        public int Batch;
        public byte* Images;
        public ImageRequest* Requests;
        public float* Values, Destination;
        public nint BlockStride, ChannelStride;

        // A row of all images before the next row: the row's lines stay in the first-level cache until they are complete.
        public readonly void Run(int item, int worker)
        {
            Grid.Locate(item, out int block, out int first, out int end);
            int used = Math.Min(Layout.Lanes, Batch - block * Layout.Lanes);
            for (int channel = first; channel < end; channel++)
            {
                float* plane = Destination + block * BlockStride + channel * ChannelStride;
                for (int row = 0; row < Shape.Height; row++)
                {
                    float* line = plane + (nint)row * Shape.Width * Layout.Lanes;
                    if (used < Layout.Lanes)
                        new Span<float>(line, Shape.Width * Layout.Lanes).Clear();
                    for (int lane = 0; lane < used; lane++)
                        GatherRow(Requests[block * Layout.Lanes + lane], channel, row, line + lane);
                }
            }
        }

        private readonly void GatherRow(in ImageRequest request, int channel, int row, float* destination)
        {
            int width = Shape.Width, sourceRow = row - request.ShiftY;
            int first = Math.Clamp(request.ShiftX, 0, width), end = Math.Clamp(width + request.ShiftX, 0, width);
            if ((uint)sourceRow >= (uint)Shape.Height)
                first = end = 0;
            byte* source = Images + (nint)request.Index * Shape.Length
                + ((nint)channel * Shape.Height + sourceRow) * width - request.ShiftX;
            nint step = Layout.Lanes;
            if (request.Flip)
            {
                destination += (width - 1) * step;
                step = -step;
            }
            for (int x = 0; x < first; x++)
                destination[x * step] = 0;
            Spread(source + first, end - first, Values, destination + first * step, step);
            for (int x = end; x < width; x++)
                destination[x * step] = 0;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Spread(byte* source, int count, float* values, float* destination, nint step)
    {
        for (int i = 0; i < count; i++, destination += step)
            *destination = values[source[i]];
    }
}
