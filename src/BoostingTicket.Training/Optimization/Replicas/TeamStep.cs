using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Ranks;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Ranks;

namespace BoostingTicket.Training.Optimization.Replicas;

/// <summary>How another process makes a step of a training.</summary>
/// <param name="Id">What calls name it by.</param>
/// <param name="Images">The image set.</param>
/// <param name="Settings">The training.</param>
/// <param name="Attack">Its attack.</param>
/// <param name="Seed">Its seed.</param>
/// <param name="Batch">Samples of the step.</param>
internal sealed record TeamStepOrder(int Id, int Images, TrainingSettings Settings, AttackSettings Attack, ulong Seed, int Batch);

/// <summary>Rank 0's side of a step that several processes share.</summary>
internal sealed class TeamStep : IDisposable
{
    private readonly RankTeam _team;
    private readonly Network _network;
    private readonly DeviceImages _images;
    private readonly TeamStepOrder _order;
    private readonly byte[] _payload;
    private int _made = -1;

    /// <summary>Plans the step; the others hear of it when it is first done.</summary>
    public TeamStep(
        RankTeam team, Network network, DeviceImages images, TrainingSettings settings, AttackSettings attack, ulong seed,
        int batch)
    {
        (_team, _network, _images) = (team, network, images);
        int id = team.Brought.TryGetValue(typeof(TeamStep), out object? last) ? (int)last + 1 : 0;
        team.Brought[typeof(TeamStep)] = id;
        _order = new TeamStepOrder(id, 0, settings, attack, seed, batch);
        _payload = new byte[StepHead.Bytes + batch * Unsafe.SizeOf<ImageRequest>()];
    }

    /// <summary>Refuses a training that the processes cannot share.</summary>
    /// <exception cref="ConfigurationException">There are more processes than replicas.</exception>
    public static void RequireEnough(RankTeam team, TrainingSettings settings)
    {
        if (team.Group.Count > settings.Replicas)
            throw new ConfigurationException(string.Create(
                CultureInfo.InvariantCulture,
                $"{team.Group.Count} processes cannot share {settings.Replicas} replica{(settings.Replicas == 1 ? "" : "s")} of "
                + $"a ")
                + "batch, since each computes at least one; give "
                + FormattableString.Invariant($"{Setting.Named("replicas")} {team.Group.Count} or more, or start ")
                + FormattableString.Invariant($"{settings.Replicas} process{(settings.Replicas == 1 ? "" : "es")}."));
    }

    /// <summary>Calls for the step.</summary>
    public void Begin(ReadOnlySpan<ImageRequest> requests, double learningRate, TrainingState state)
    {
        Make();
        var head = new StepHead(_order.Id, state.Epoch, learningRate);
        MemoryMarshal.Write(_payload, in head);
        MemoryMarshal.AsBytes(requests).CopyTo(_payload.AsSpan(StepHead.Bytes));
        TeamNetwork.Depart(_team);
        _team.Call((int)RankWork.Step, _payload);
    }

    /// <summary>Says that the weights were stepped here as well.</summary>
    public void End() => TeamNetwork.Agree(_team, _network);

    /// <summary>Collects what outlives the step on other processes.</summary>
    public void Keep(TrainingState state)
    {
        // A step that was not done yet keeps what it begins with.
        Make();
        _team.Call((int)RankWork.Keep, RankJson.Write(_order.Id));
        foreach ((string name, float[] values) in KeptValues.Collect(_team))
            state.KeptValues[name] = values;
        _team.Done();
    }

    /// <summary>Gives other processes back what outlives the step.</summary>
    public void Restore(TrainingState state)
    {
        string mark = FormattableString.Invariant($".{_order.Batch}.");
        (string Name, float[] Values)[] own =
            [.. state.KeptValues.Where(kept => kept.Key.Contains(mark, StringComparison.Ordinal)).Select(
                kept => (kept.Key, kept.Value))];
        if (own.Length == 0)
            return;
        Make();
        byte[] id = BitConverter.GetBytes(_order.Id);
        _team.Call((int)RankWork.Restore, [.. id, .. KeptValues.Write(own)]);
        _team.Done();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_made < 0 || _team.IsCalling || _team.Watch?.Failure is not null)
            return;
        _team.Call((int)RankWork.DropStep, RankJson.Write(_order.Id));
        _team.Done();
    }

    private void Make()
    {
        int number = TeamNetwork.Bring(_team, _network, trains: true);
        if (_made == number)
            return;
        int images = TeamImages.Bring(_team, _images.Set);
        _team.Call((int)RankWork.CreateStep, RankJson.Write(_order with { Images = images }));
        _team.Done();
        _made = number;
    }
}

/// <summary>What precedes the samples in a call for a step.</summary>
/// <param name="Id">The step.</param>
/// <param name="Epoch">Keys random starts.</param>
/// <param name="LearningRate">Rate of the optimizer.</param>
internal readonly record struct StepHead(int Id, int Epoch, double LearningRate)
{
    /// <summary>Its size.</summary>
    public const int Bytes = 16;
}

/// <summary>Values by name on their way between processes.</summary>
internal static class KeptValues
{
    /// <summary>Spells them.</summary>
    public static byte[] Write(IReadOnlyCollection<(string Name, float[] Values)> kept)
    {
        ArgumentNullException.ThrowIfNull(kept);
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        writer.Write(kept.Count);
        foreach ((string name, float[] values) in kept)
        {
            writer.Write(name);
            writer.Write(values.Length);
            writer.Write(MemoryMarshal.AsBytes(values.AsSpan()));
        }
        writer.Flush();
        return stream.ToArray();
    }

    /// <summary>Reads them.</summary>
    public static IEnumerable<(string Name, float[] Values)> Read(byte[] data)
    {
        using var reader = new BinaryReader(new MemoryStream(data), Encoding.UTF8);
        int count = reader.ReadInt32();
        for (int i = 0; i < count; i++)
        {
            string name = reader.ReadString();
            float[] values = new float[reader.ReadInt32()];
            reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
            yield return (name, values);
        }
    }

    /// <summary>On rank 0: receives those of all others.</summary>
    internal static IEnumerable<(string Name, float[] Values)> Collect(RankTeam team)
    {
        foreach (byte[] data in team.GatherBytes([]).Skip(1))
        {
            foreach ((string, float[]) kept in Read(data))
                yield return kept;
        }
    }
}
