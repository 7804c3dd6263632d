using System.Runtime.InteropServices;
using System.Security.Cryptography;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Graph.Layers;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Ranks;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Ranks;

/// <summary>Brings a network and its values to the other processes of a team. They hold one at a time.</summary>
internal sealed class TeamNetwork : IDisposable
{
    private const int HashBytes = 32;

    private readonly WeakReference<Network?> _network = new(null);
    private Network? _taken;
    private (int Weights, int Statistics, int Masks)? _versions;
    private bool _hasMomenta;
    private int _number;
    private double _arithmeticBefore;

    private sealed record Model(
        string Name, int Channels, int Height, int Width, int Classes, float[]? Mean, float[]? Deviation, int Prunable,
        int Trained);

    private sealed record Parts(bool Masks, bool Momenta);

    /// <summary>On rank 0: makes sure that the others have the network as it is.</summary>
    /// <param name="team">The processes.</param>
    /// <param name="network">The network.</param>
    /// <param name="trains">Whether it will be trained, so that momenta matter.</param>
    /// <returns>Number of the network: another one when the others had to make it anew, and forgot what belonged to it.</returns>
    public static int Bring(RankTeam team, Network network, bool trains)
    {
        ArgumentNullException.ThrowIfNull(network);
        TeamNetwork own = Of(team);
        if (!own._network.TryGetTarget(out Network? known) || known != network)
        {
            team.Call((int)RankWork.Network, RankJson.Write(Describe(network.Graph)));
            team.Done();
            own._network.SetTarget(network);
            own._versions = null;
            own._number++;
        }
        if (own._versions == VersionsOf(network.Parameters) && (own._hasMomenta || !trains))
            return own._number;
        ParameterStore store = network.Parameters;
        team.Call((int)RankWork.State, RankJson.Write(new Parts(store.Masks is not null, trains)));
        foreach (FloatBuffer buffer in Buffers(store, store.Masks is not null, trains))
        {
            float[] values = new float[buffer.Length];
            network.Backend.Download(buffer.All, values);
            team.Broadcast<float>(values);
        }
        team.Done();
        own._versions = VersionsOf(store);
        own._hasMomenta = trains;
        return own._number;
    }

    /// <summary>On rank 0: says that the others no longer have the values that are here.</summary>
    public static void Depart(RankTeam team) => Of(team)._versions = null;

    /// <summary>On rank 0: says that the others have come to the same values by themselves.</summary>
    public static void Agree(RankTeam team, Network network)
    {
        ArgumentNullException.ThrowIfNull(network);
        TeamNetwork own = Of(team);
        own._versions = VersionsOf(network.Parameters);
        own._hasMomenta = true;
    }

    /// <summary>On rank 0: compares the weights and statistics of all.</summary>
    /// <exception cref="TeamException">They differ.</exception>
    public static void Compare(RankTeam team, Network network)
    {
        ArgumentNullException.ThrowIfNull(team);
        ArgumentNullException.ThrowIfNull(network);
        if (Of(team)._versions is null)
            return;
        team.Call((int)RankWork.Hash, []);
        byte[] own = HashOf(network), all = new byte[HashBytes * team.Group.Count];
        team.Gather<byte>(own, all);
        team.Done();
        for (int rank = 1; rank < team.Group.Count; rank++)
        {
            if (!all.AsSpan(rank * HashBytes, HashBytes).SequenceEqual(own))
                throw new TeamException(
                    FormattableString.Invariant($"The weights of rank {rank} on {team.Hosts[rank]} are not those of rank 0 on ")
                    + $"{team.Hosts[0]}: one of the two computes wrong or has faulty memory; {RankWatch.Remedy}.",
                    TeamException.Lost);
        }
    }

    /// <summary>On other ranks: makes a network.</summary>
    public static Network Make(RankTeam team, byte[] payload, IBackend backend)
    {
        Model model = RankJson.Read<Model>(payload);
        TeamNetwork own = Of(team);
        own.Dispose();
        InputNormalizationConstants? constants = model.Mean is null
            ? null
            : new InputNormalizationConstants(model.Mean, model.Deviation!);
        var shape = new FeatureShape(model.Channels, model.Height, model.Width);
        NetworkGraph graph = ((bool?[])[null, true, false])
            .Select(hidden => ModelCatalog.Build(model.Name, new ModelOptions(shape, model.Classes, constants, hidden)))
            .First(graph => graph.Table.PrunableLength == model.Prunable && graph.Table.TrainedLength == model.Trained);
        return own._taken = new Network(graph, backend);
    }

    /// <summary>On other ranks: takes the network's values.</summary>
    public static void Take(RankTeam team, byte[] payload)
    {
        ArgumentNullException.ThrowIfNull(team);
        Parts parts = RankJson.Read<Parts>(payload);
        Network network = Find(team);
        ParameterStore store = network.Parameters;
        // Masks zero what they prune, so that they come before the values.
        store.SetMasks(null);
        if (parts.Masks)
        {
            float[] masks = new float[store.Table.PrunableLength];
            team.Broadcast<float>(masks);
            store.SetMasks(masks);
        }
        foreach (FloatBuffer buffer in Buffers(store, masks: false, parts.Momenta))
        {
            float[] values = new float[buffer.Length];
            team.Broadcast<float>(values);
            network.Backend.Upload(values, buffer.All);
        }
        store.WeightsChanged();
        store.StatisticsChanged();
    }

    /// <summary>On other ranks: the network that was made.</summary>
    public static Network Find(RankTeam team) =>
        Of(team)._taken ?? throw new InvalidOperationException("No network was made.");

    /// <summary>On other ranks: floating-point operations of all networks that were made.</summary>
    public static double ArithmeticDone(RankTeam team)
    {
        TeamNetwork own = Of(team);
        return own._arithmeticBefore + (own._taken?.ArithmeticDone ?? 0);
    }

    /// <summary>On other ranks: answers <see cref="Compare"/>.</summary>
    public static void Answer(RankTeam team)
    {
        ArgumentNullException.ThrowIfNull(team);
        team.Gather<byte>(HashOf(Find(team)), []);
    }

    /// <summary>On other ranks: frees the network.</summary>
    public static void Drop(RankTeam team) => Of(team).Dispose();

    /// <inheritdoc/>
    public void Dispose()
    {
        _arithmeticBefore += _taken?.ArithmeticDone ?? 0;
        _taken?.Dispose();
        _taken = null;
    }

    private static byte[] HashOf(Network network)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (FloatBuffer buffer in Buffers(network.Parameters, masks: false, momenta: false))
        {
            float[] values = new float[buffer.Length];
            network.Backend.Download(buffer.All, values);
            hash.AppendData(MemoryMarshal.AsBytes(values.AsSpan()));
        }
        return hash.GetHashAndReset();
    }

    private static IEnumerable<FloatBuffer> Buffers(ParameterStore store, bool masks, bool momenta)
    {
        if (masks)
            yield return store.Masks!;
        yield return store.Weights;
        if (store.Table.StatisticsLength > 0)
            yield return store.Statistics;
        if (momenta)
            yield return store.Momenta;
    }

    private static (int Weights, int Statistics, int Masks) VersionsOf(ParameterStore store) =>
        (store.WeightsVersion, store.StatisticsVersion, store.MaskVersion);

    private static Model Describe(NetworkGraph graph)
    {
        var normalization = graph.Nodes.Select(node => node.Layer).OfType<InputNormalization>().FirstOrDefault();
        FeatureShape shape = graph.Input.Shape;
        return new Model(
            graph.Name, shape.Channels, shape.Height, shape.Width, graph.Classes, normalization?.Mean.ToArray(),
            normalization?.Deviation.ToArray(), graph.Table.PrunableLength, graph.Table.TrainedLength);
    }

    private static TeamNetwork Of(RankTeam team)
    {
        ArgumentNullException.ThrowIfNull(team);
        if (!team.Brought.TryGetValue(typeof(TeamNetwork), out object? found))
            team.Brought.Add(typeof(TeamNetwork), found = new TeamNetwork());
        return (TeamNetwork)found;
    }
}
