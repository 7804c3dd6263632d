using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace BoostingTicket.Training.Data;

/// <summary>
/// A labelled set of images of one size, held in memory as 8-bit pixels. Never changes after construction: the arrays it
/// exposes are for reading, and may be shared between threads.
/// </summary>
public sealed class ImageSet
{
    private string? _contentHash;

    /// <summary>Creates a set over the given arrays, which it keeps and which must not be written afterwards.</summary>
    /// <param name="name">The registry name of the set, such as <c>cifar10</c>.</param>
    /// <param name="channels">Colour channels of an image.</param>
    /// <param name="height">Rows of an image.</param>
    /// <param name="width">Columns of an image.</param>
    /// <param name="classes">The names of the classes, by label.</param>
    /// <param name="pixels">Sample after sample, each channel after channel, row after row (NCHW).</param>
    /// <param name="labels">One label a sample, each in [0, number of classes).</param>
    /// <exception cref="ArgumentException">The lengths disagree, or a label is out of range.</exception>
    public ImageSet(
        string name, int channels, int height, int width, IReadOnlyList<string> classes, byte[] pixels, byte[] labels)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(classes);
        ArgumentNullException.ThrowIfNull(pixels);
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(channels);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        if (pixels.LongLength != (long)channels * height * width * labels.Length)
            throw new ArgumentException(
                $"{pixels.LongLength} pixels are not {labels.Length} images of {channels}x{height}x{width}", nameof(pixels));
        for (int i = 0; i < labels.Length; i++)
        {
            if (labels[i] >= classes.Count)
                throw new ArgumentException($"label {labels[i]} of sample {i} is not below {classes.Count}", nameof(labels));
        }

        Name = name;
        Channels = channels;
        Height = height;
        Width = width;
        Classes = [.. classes];
        Pixels = pixels;
        Labels = labels;
    }

    /// <summary>The registry name of the set, such as <c>cifar10</c>.</summary>
    public string Name { get; }

    /// <summary>Colour channels of an image.</summary>
    public int Channels { get; }

    /// <summary>Rows of an image.</summary>
    public int Height { get; }

    /// <summary>Columns of an image.</summary>
    public int Width { get; }

    /// <summary>The names of the classes, by label.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>All pixels, 0 to 255, NCHW; not to be written.</summary>
    public byte[] Pixels { get; }

    /// <summary>One label a sample, each below the number of classes; not to be written.</summary>
    public byte[] Labels { get; }

    /// <summary>Number of samples.</summary>
    public int Count => Labels.Length;

    /// <summary>Pixels of one sample: channels x height x width.</summary>
    public int SampleLength => Channels * Height * Width;

    /// <summary>The pixels of one sample, CHW.</summary>
    /// <param name="index">The sample, in [0, <see cref="Count"/>).</param>
    public ReadOnlySpan<byte> Sample(int index) => Pixels.AsSpan(index * SampleLength, SampleLength);

    /// <summary>A new set with copies of the named samples, in the named order; repeats are allowed.</summary>
    /// <param name="indices">Samples of this set, each in [0, <see cref="Count"/>).</param>
    /// <exception cref="ArgumentOutOfRangeException">An index is out of range.</exception>
    public ImageSet Subset(ReadOnlySpan<int> indices)
    {
        byte[] pixels = GC.AllocateUninitializedArray<byte>(checked(indices.Length * SampleLength));
        byte[] labels = new byte[indices.Length];
        for (int i = 0; i < indices.Length; i++)
        {
            int index = indices[i];
            if ((uint)index >= (uint)Count)
                throw new ArgumentOutOfRangeException(nameof(indices), index, $"not a sample of {Name}, which has {Count}");
            Sample(index).CopyTo(pixels.AsSpan(i * SampleLength));
            labels[i] = Labels[index];
        }

        return new ImageSet(Name, Channels, Height, Width, Classes, pixels, labels);
    }

    /// <summary>
    /// SHA-256 (lower-case hexadecimal) of what the set holds: its sizes, class names, labels and pixels; not its name.
    /// Computed once.
    /// </summary>
    public string ContentHash => _contentHash ??= ComputeContentHash();

    private string ComputeContentHash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> sizes = stackalloc byte[5 * sizeof(int)];
        ReadOnlySpan<int> values = [Count, Channels, Height, Width, Classes.Count];
        for (int i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteInt32LittleEndian(sizes[(i * sizeof(int))..], values[i]);
        hash.AppendData(sizes);
        foreach (string name in Classes)
            hash.AppendData(Encoding.UTF8.GetBytes(name + "\n"));
        hash.AppendData(Labels);
        hash.AppendData(Pixels);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
