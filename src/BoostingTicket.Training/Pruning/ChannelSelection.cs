using System.Globalization;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Pruning;

/// <summary>Which channels of a model are kept, group by group (<see cref="ChannelGroups"/>), and the small network that they
/// make. Never changes.</summary>
/// <remarks>With the same values, the small network computes what the full one computes when all values of the removed channels
/// are zero (<see cref="Silence"/>): filters, biases, and γ and β of every normalisation that they pass through. A normalisation
/// then gives 0 whatever its statistics, and all activations of the catalogue are 0 at 0. With zero filters alone that holds only
/// where β and the running means of removed channels are zero as well, as initial ones are: elsewhere a removed channel would
/// still pass on the constant β - γ · mean / √(variance + epsilon).</remarks>
internal sealed class ChannelSelection
{
    private readonly int[][] _kept;
    private readonly Lazy<NetworkGraph> _graph;

    /// <summary>Takes a choice of channels.</summary>
    /// <param name="full">The model.</param>
    /// <param name="kept">For each group the channels that are kept, at least one, in ascending order.</param>
    /// <exception cref="ArgumentException">The groups are not the model's, or a group's channels are not in order, in range, or
    /// there.</exception>
    public ChannelSelection(NetworkGraph full, IReadOnlyList<IReadOnlyList<int>> kept)
    {
        ArgumentNullException.ThrowIfNull(full);
        ArgumentNullException.ThrowIfNull(kept);
        Full = full;
        Groups = ChannelGroups.Of(full);
        if (kept.Count != Groups.All.Count)
            throw new ArgumentException($"the model has {Groups.All.Count} groups of channels, not {kept.Count}", nameof(kept));
        _kept = [.. kept.Select(channels => channels.ToArray())];
        foreach ((ChannelGroup group, int[] channels) in Groups.All.Zip(_kept))
        {
            bool ascending = channels.Zip(channels.Skip(1)).All(pair => pair.First < pair.Second);
            if (channels.Length == 0 || channels[0] < 0 || channels[^1] >= group.Channels || !ascending)
                throw new ArgumentException(
                    $"the channels of {group.Name} are not a choice of its {group.Channels}", nameof(kept));
        }

        _graph = new Lazy<NetworkGraph>(() => Full.Narrow(Widths));
    }

    /// <summary>The model.</summary>
    public NetworkGraph Full { get; }

    /// <summary>Its groups of channels.</summary>
    public ChannelGroups Groups { get; }

    /// <summary>The channels that are kept, group by group, in ascending order.</summary>
    public IReadOnlyList<IReadOnlyList<int>> Kept => _kept;

    /// <summary>How many of each group are kept.</summary>
    public IReadOnlyList<int> Widths => [.. _kept.Select(channels => channels.Length)];

    /// <summary>The small network.</summary>
    public NetworkGraph Graph => _graph.Value;

    /// <summary>A choice that keeps everything.</summary>
    public static ChannelSelection All(NetworkGraph full)
    {
        ArgumentNullException.ThrowIfNull(full);
        return new ChannelSelection(
            full, [.. ChannelGroups.Of(full).All.Select(group => Enumerable.Range(0, group.Channels).ToArray())]);
    }

    /// <summary>A choice among the channels that this one keeps, as a choice among all.</summary>
    /// <param name="next">A choice of <see cref="Graph"/>'s channels.</param>
    public ChannelSelection Then(ChannelSelection next)
    {
        ArgumentNullException.ThrowIfNull(next);
        return new ChannelSelection(
            Full, [.. _kept.Zip(next._kept, (mine, theirs) => theirs.Select(channel => mine[channel]).ToArray())]);
    }

    /// <summary>The control: as many channels of each group, chosen at random.</summary>
    /// <param name="seed">The run's seed. A group's choice depends on it, the group's name and its size alone.</param>
    public ChannelSelection Shuffled(ulong seed)
    {
        ulong key = Philox.Key(seed, RandomStream.MaskShuffle);
        return new ChannelSelection(Full, [.. Groups.All.Zip(_kept, (group, channels) =>
        {
            int[] all = [.. Enumerable.Range(0, group.Channels)];
            ulong name = Initialization.NameHash(group.Name);
            new RandomSequence(key, (uint)name, (uint)(name >> 32)).Shuffle(all.AsSpan());
            return all[..channels.Length].Order().ToArray();
        })]);
    }

    /// <summary>The values of the kept channels, as the state of the small network.</summary>
    /// <param name="full">A state of the model.</param>
    /// <exception cref="ArgumentException">It is another model's.</exception>
    public ModelState Take(ModelState full)
    {
        RequireFull(full);
        var small = new ModelState(Graph.Table);
        foreach (Places places in AllPlaces())
        {
            Span<float> target = small[places.Parameter.Name], source = full[places.Parameter];
            int next = 0;
            foreach (int index in places.Kept())
                target[next++] = source[index];
        }

        return small;
    }

    /// <summary>Zeroes all values of removed channels but running statistics: filters, biases, γ and β, and the weights that read
    /// them.</summary>
    /// <param name="full">A state of the model; changed.</param>
    /// <exception cref="ArgumentException">It is another model's.</exception>
    public void Silence(ModelState full)
    {
        RequireFull(full);
        foreach (Places places in AllPlaces().Where(places => places.Parameter.Section == ParameterSection.Trained))
        {
            Span<float> values = full[places.Parameter];
            float[] before = values.ToArray();
            values.Clear();
            foreach (int index in places.Kept())
                values[index] = before[index];
        }
    }

    /// <summary>A mask of the small network's weights as one of the model's: what the small network lacks is pruned.</summary>
    /// <param name="small">A mask of <see cref="Graph"/>.</param>
    /// <exception cref="ArgumentException">It is another network's.</exception>
    public Mask Widen(Mask small)
    {
        ArgumentNullException.ThrowIfNull(small);
        if (!Mask.SameLayout(small.Table, Graph.Table))
            throw new ArgumentException("the mask is of another network", nameof(small));
        byte[] values = new byte[Full.Table.PrunableLength];
        foreach (Places places in AllPlaces().Where(places => places.Parameter.Prunable))
        {
            ReadOnlySpan<byte> source = small[places.Parameter.Name];
            int next = 0;
            foreach (int index in places.Kept())
                values[places.Parameter.Offset + index] = source[next++];
        }

        return new Mask(Full.Table, values);
    }

    /// <summary>A state of the small network as one of the model, in which all other values are zero.</summary>
    /// <param name="small">A state of <see cref="Graph"/>.</param>
    public ModelState Widen(ModelState small)
    {
        ArgumentNullException.ThrowIfNull(small);
        var full = new ModelState(Full.Table);
        foreach (Places places in AllPlaces())
        {
            Span<float> target = full[places.Parameter], source = small[places.Parameter.Name];
            int next = 0;
            foreach (int index in places.Kept())
                target[index] = source[next++];
        }

        return full;
    }

    /// <summary>The part of a mask of the model's weights that the small network has.</summary>
    /// <param name="full">A mask of the model.</param>
    /// <exception cref="ArgumentException">It is another model's.</exception>
    public Mask Narrow(Mask full)
    {
        ArgumentNullException.ThrowIfNull(full);
        if (!Mask.SameLayout(full.Table, Full.Table))
            throw new ArgumentException("the mask is of another model", nameof(full));
        byte[] values = new byte[Graph.Table.PrunableLength];
        foreach (Places places in AllPlaces().Where(places => places.Parameter.Prunable))
        {
            int next = Graph.Table[places.Parameter.Name].Offset;
            foreach (int index in places.Kept())
                values[next++] = full.Values[places.Parameter.Offset + index];
        }

        return new Mask(Graph.Table, values);
    }

    /// <summary>A byte for each channel of a group: 1 kept, 0 removed.</summary>
    /// <param name="group">Number of the group.</param>
    public byte[] Flags(int group)
    {
        byte[] flags = new byte[Groups.All[group].Channels];
        foreach (int channel in _kept[group])
            flags[channel] = 1;
        return flags;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(' ', Groups.All.Zip(_kept, (group, channels) =>
        string.Create(CultureInfo.InvariantCulture, $"{group.Name} {channels.Length}/{group.Channels}")));

    private void RequireFull(ModelState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (state.Table.TrainedLength != Full.Table.TrainedLength || state.Table.StatisticsLength != Full.Table.StatisticsLength)
            throw new ArgumentException("the state is another model's", nameof(state));
    }

    private IEnumerable<Places> AllPlaces()
    {
        foreach (Node node in Full.Nodes.Where(node => node.Layer is not null))
        {
            foreach (ParameterSpec spec in node.Layer!.Parameters(node.Inputs[0].Shape))
            {
                bool weight = spec.Role is ParameterRole.ConvolutionWeight or ParameterRole.LinearWeight;
                int inputs = weight ? node.Inputs[0].Shape.Channels : 1;
                yield return new Places(
                    Full.Table[$"{node.Name}.{spec.LocalName}"], KeptOf(node, spec.Dimensions[0]),
                    weight ? KeptOf(node.Inputs[0], inputs) : [0], inputs);
            }
        }
    }

    private int[] KeptOf(Node node, int channels) => Groups.IndexOf(node) is >= 0 and int group
        ? _kept[group]
        : [.. Enumerable.Range(0, channels)];

    /// <summary>A parameter as outputs x inputs x the rest: a filter's pixels, or the pixels that a linear layer sees of a
    /// channel.</summary>
    private sealed record Places(Parameter Parameter, int[] Outputs, int[] Inputs, int InputCount)
    {
        /// <summary>Indices of the values of kept channels, ascending.</summary>
        public IEnumerable<int> Kept()
        {
            int row = Parameter.Length / Parameter.Spec.Dimensions[0], inner = row / InputCount;
            foreach (int output in Outputs)
            {
                foreach (int input in Inputs)
                {
                    for (int i = 0; i < inner; i++)
                        yield return output * row + input * inner + i;
                }
            }
        }
    }
}
