using System.Buffers.Binary;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using System.Text;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Models;

/// <summary>Distributions of initial weights. Biases are 0, γ 1, β 0, running means 0 and running variances 1 in all of
/// them.</summary>
internal enum InitializationScheme
{
    /// <summary>Convolutions N(0, √(2 / (k² · outputs))), He's rule by fan-out; linear layers uniform in ±1/√inputs, PyTorch's
    /// default. What the WideResNets of TRADES use.</summary>
    HeFanOut,

    /// <summary>All weights N(0, √(2 / (fan-in + fan-out))), the Gaussian Glorot rule of Frankle and Carbin (2019).</summary>
    Glorot,
}

/// <summary>Draws initial weights. Every value is a pure function of seed, stream, parameter name and index, so it depends on
/// neither the order of drawing nor the number of threads, and a layer's values do not depend on what else a model has.</summary>
internal static class Initialization
{
    private const int BlockLength = 4;
    private const int BlocksPerTask = 1 << 14;

    private static readonly (string Name, InitializationScheme Scheme)[] Schemes =
        [("he", InitializationScheme.HeFanOut), ("glorot", InitializationScheme.Glorot)];

    /// <summary>The names of the schemes, as options spell them; the default first.</summary>
    public static IReadOnlyList<string> SchemeNames { get; } = [.. Schemes.Select(known => known.Name)];

    /// <summary>The scheme of a name.</summary>
    /// <exception cref="ConfigurationException">There is no such scheme; the message names the nearest.</exception>
    public static InitializationScheme ParseScheme(string name)
    {
        foreach ((string known, InitializationScheme scheme) in Schemes)
        {
            if (known == name)
                return scheme;
        }

        throw NearestName.Unknown("initialisation", name, SchemeNames);
    }

    /// <summary>The initial state of a model.</summary>
    /// <param name="table">The model's parameters.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="scheme">The distributions.</param>
    public static ModelState Draw(
        ParameterTable table, ulong seed, InitializationScheme scheme = InitializationScheme.HeFanOut) =>
        Draw(table, seed, scheme, RandomStream.Initialization);

    /// <summary>Another initial state for the same seed, independent of the first: the randomly reinitialised control.</summary>
    /// <param name="table">The model's parameters.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="scheme">The distributions.</param>
    public static ModelState Redraw(
        ParameterTable table, ulong seed, InitializationScheme scheme = InitializationScheme.HeFanOut) =>
        Draw(table, seed, scheme, RandomStream.Reinitialization);

    /// <summary>The number that stands for a name wherever numbers are drawn for a parameter: the first eight bytes of the
    /// SHA-256 of its UTF-8 spelling, little-endian.</summary>
    internal static ulong NameHash(string name) =>
        BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(name)));

    private static ModelState Draw(ParameterTable table, ulong seed, InitializationScheme scheme, RandomStream stream)
    {
        var state = new ModelState(table);
        ulong key = Philox.Key(seed, stream);
        foreach (Parameter parameter in table.All)
        {
            Memory<float> values = state.MemoryOf(parameter);
            switch (parameter.Role)
            {
                case ParameterRole.ConvolutionWeight or ParameterRole.LinearWeight:
                    DrawWeights(parameter, values, key, scheme);
                    break;
                case ParameterRole.NormalizationScale or ParameterRole.RunningVariance:
                    values.Span.Fill(1);
                    break;
                default:
                    values.Span.Clear();
                    break;
            }
        }

        return state;
    }

    private static void DrawWeights(Parameter parameter, Memory<float> values, ulong key, InitializationScheme scheme)
    {
        // Outputs and inputs of a linear layer; of a convolution, each times the pixels of a kernel.
        IReadOnlyList<int> dimensions = parameter.Spec.Dimensions;
        double kernel = dimensions.Skip(2).Aggregate(1.0, (product, dimension) => product * dimension);
        double fanOut = dimensions[0] * kernel, fanIn = dimensions[1] * kernel;
        bool uniform = scheme == InitializationScheme.HeFanOut && parameter.Role == ParameterRole.LinearWeight;
        double scale = uniform ? 1 / Math.Sqrt(fanIn)
            : scheme == InitializationScheme.HeFanOut ? Math.Sqrt(2 / fanOut)
            : Math.Sqrt(2 / (fanIn + fanOut));

        ulong name = NameHash(parameter.Name);
        int blocks = (values.Length + BlockLength - 1) / BlockLength;
        int tasks = (blocks + BlocksPerTask - 1) / BlocksPerTask;
        Parallel.For(0, tasks, task =>
        {
            int first = task * BlocksPerTask;
            DrawBlocks(values.Span, first, Math.Min(blocks, first + BlocksPerTask), key, name, uniform, (float)scale);
        });
    }

    private static void DrawBlocks(Span<float> values, int first, int end, ulong key, ulong name, bool uniform, float scale)
    {
        Span<float> drawn = stackalloc float[BlockLength];
        for (int block = first; block < end; block++)
        {
            Vector128<uint> words = Philox.Words(key, (uint)block, (uint)name, (uint)(name >> 32), 0);
            if (uniform)
            {
                for (int i = 0; i < BlockLength; i++)
                    drawn[i] = (2 * Philox.Uniform(words[i]) - 1) * scale;
            }
            else
            {
                (float a, float b) = Philox.Normal(words[0], words[1]);
                (float c, float d) = Philox.Normal(words[2], words[3]);
                (drawn[0], drawn[1], drawn[2], drawn[3]) = (a * scale, b * scale, c * scale, d * scale);
            }

            Span<float> destination = values[(block * BlockLength)..];
            drawn[..Math.Min(BlockLength, destination.Length)].CopyTo(destination);
        }
    }
}
