using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Backends;

/// <summary>The operations that a device offers. Coarse and destination-passing: the caller owns every tensor, an
/// operation overwrites its destinations and allocates nothing. Operations of one backend run in the order in which they
/// were called; a download waits for them. Not safe for use from several threads at once.</summary>
/// <remarks>Memory and transfers are here; the operations stand in the other parts of this interface, one family a file.
/// Unused lanes or padding of a layout are the backend's own: whatever it keeps there never reaches a result.</remarks>
internal partial interface IBackend : IDisposable
{
    /// <summary>The device, for people.</summary>
    DeviceInfo Device { get; }

    /// <summary>Number format of the tensors that this backend creates; where <see cref="RoundsAttacksMore"/>, of the factors in
    /// attacks.</summary>
    Precision Precision { get; }

    /// <summary>What this device chose by measurement, to be kept and given back; null where nothing is measured, so that the
    /// same work gives the same bits in every process.</summary>
    DeviceChoices? Choices => null;

    /// <summary>Whether passes of attacks are computed in a shorter number format than those of training and evaluation, so that
    /// the two need filters of their own.</summary>
    bool RoundsAttacksMore => false;

    /// <summary>A tensor without memory; <see cref="Place"/> gives it some.</summary>
    Tensor DescribeTensor(int batch, FeatureShape shape);

    /// <summary>A tensor without memory that is float32 in every precision: images and their gradients, whose steps of ε are
    /// finer than shorter formats.</summary>
    Tensor DescribeImages(int batch, FeatureShape shape) => DescribeTensor(batch, shape);

    /// <summary>Bytes of memory that are free on the device; null where that is the operating system's business.</summary>
    long? FreeMemory => null;

    /// <summary>Memory for placed tensors.</summary>
    /// <exception cref="DeviceException">The device does not have that much.</exception>
    Arena CreateArena(long bytes);

    /// <summary>Puts a described tensor at an offset of an arena; an earlier place is forgotten. Its contents are
    /// undefined until written.</summary>
    /// <param name="tensor">A tensor of this backend.</param>
    /// <param name="arena">An arena of this backend.</param>
    /// <param name="offset">Bytes from the start of the arena, a multiple of <see cref="Alignment"/>.</param>
    void Place(Tensor tensor, Arena arena, long offset);

    /// <summary>Offsets of placed tensors are multiples of this many bytes.</summary>
    int Alignment { get; }

    /// <summary>A flat buffer of zeros.</summary>
    FloatBuffer CreateFloats(int length);

    /// <summary>A flat buffer of zeros.</summary>
    IntBuffer CreateInts(int length);

    /// <summary>Writes logical NCHW values into a tensor.</summary>
    void Upload(ReadOnlySpan<float> source, Tensor destination);

    /// <summary>Reads a tensor as logical NCHW values.</summary>
    void Download(Tensor source, Span<float> destination);

    /// <summary>Writes values into a buffer; the lengths must agree.</summary>
    void Upload(ReadOnlySpan<float> source, BufferSlice destination);

    /// <summary>Reads values from a buffer; the lengths must agree.</summary>
    void Download(BufferSlice source, Span<float> destination);

    /// <summary>Writes values from the start of a buffer on.</summary>
    void Upload(ReadOnlySpan<int> source, IntBuffer destination);

    /// <summary>Copies a tensor; shapes must agree.</summary>
    void Copy(Tensor source, Tensor destination);

    /// <summary>Copies values between buffers; lengths must agree.</summary>
    void Copy(BufferSlice source, BufferSlice destination);

    /// <summary>Sets every value of a slice.</summary>
    void Fill(BufferSlice destination, float value);

    /// <summary>Prepares work that will run many times: calls of this backend's operations that are the same every time, with the
    /// same operands and numbers, and none that transfers or waits. A backend may record what they do and replay it without
    /// calling
    /// <paramref name="work"/> again; it calls it again when memory moved.</summary>
    RepeatedWork Repeat(Action work) => new CalledWork(work);

    /// <summary>A way to read results without holding up the device.</summary>
    /// <param name="sources">What is read; it must live as long as the reading.</param>
    /// <param name="marks">How many times are noted.</param>
    Reading CreateReading(IReadOnlyList<BufferSlice> sources, int marks) => new ImmediateReading(this, sources, marks);

    /// <summary>Waits until everything called so far is done; what a clock needs before it is read.</summary>
    void Synchronize();
}
