using System.Buffers.Binary;
using System.Security.Cryptography;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Data;

/// <summary>
/// A seeded split of a training set into samples to train on and samples to validate on, the same on every platform. The paper
/// keeps 5,000 of CIFAR-10's 50,000 for validation.
/// </summary>
internal sealed class TrainValidationSplit
{
    private readonly int[] _train;
    private readonly int[] _validation;

    private TrainValidationSplit(int[] train, int[] validation)
    {
        _train = train;
        _validation = validation;
        Hash = ComputeHash(train, validation);
    }

    /// <summary>The samples to train on, ascending.</summary>
    public ReadOnlySpan<int> Train => _train;

    /// <summary>The samples to validate on, ascending.</summary>
    public ReadOnlySpan<int> Validation => _validation;

    /// <summary>
    /// SHA-256 (lower-case hexadecimal) of the split: the two counts, then the training and the validation indices, each as a
    /// little-endian 32-bit integer.
    /// </summary>
    public string Hash { get; }

    /// <summary>Splits by a seeded permutation, of which the first samples become the validation set.</summary>
    /// <param name="count">Number of samples.</param>
    /// <param name="validationCount">How many of them to validate on, in [0, <paramref name="count"/>).</param>
    /// <param name="seed">The seed of the run.</param>
    /// <exception cref="ConfigurationException">No sample would be left to train on.</exception>
    public static TrainValidationSplit Create(int count, int validationCount, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (validationCount < 0 || validationCount >= count)
        {
            throw new ConfigurationException(
                $"A validation set of {validationCount} cannot be split from {count} training samples; choose a number from 0 to "
                + $"{count - 1}.");
        }

        int[] order = new int[count];
        for (int i = 0; i < count; i++)
            order[i] = i;
        var random = new RandomSequence(Philox.Key(seed, RandomStream.Split), 0, 0);
        random.Shuffle<int>(order);
        int[] validation = order[..validationCount];
        int[] train = order[validationCount..];
        Array.Sort(validation);
        Array.Sort(train);
        return new TrainValidationSplit(train, validation);
    }

    private static string ComputeHash(int[] train, int[] validation)
    {
        byte[] bytes = new byte[sizeof(int) * (2 + train.Length + validation.Length)];
        int position = 0;
        foreach (int value in (ReadOnlySpan<int>)[train.Length, validation.Length, .. train, .. validation])
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(position), value);
            position += sizeof(int);
        }

        return Convert.ToHexStringLower(SHA256.HashData(bytes));
    }
}
