using System.Text.Json;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Ranks;

namespace BoostingTicket.Engine.Devices;

/// <summary>What carries values between the devices of a team. The processes agree on it: NCCL where each has a GPU of its own
/// and the same version of it, else the memory of the host.</summary>
internal static class DeviceLines
{
    // The first start of NCCL on a machine may take half a minute.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    // From 2.30 on, and where this variable is 1, NCCL lets processes share a GPU, which it calls experimental.
    private const string SharingVariable = "NCCL_MULTI_RANK_GPU_ENABLE";
    private const int SharingVersion = 23_000;

    private sealed record Offer(string Host, string Gpu, int Version, bool Shares, string? Lack);

    private sealed record Agreement(byte[]? Id, string? Reason);

    /// <summary>Agrees and opens; all processes do so at once, after each has opened its device.</summary>
    /// <param name="team">The processes.</param>
    /// <param name="backend">This process's device, of the same kind as the others'. The line belongs to it.</param>
    /// <param name="use">What may carry, as rank 0 says.</param>
    /// <param name="notice">On rank 0, what the user should know of it, in one sentence; null for nothing.</param>
    /// <exception cref="DeviceException">On rank 0: NCCL was asked for and cannot be; the message says why.</exception>
    /// <exception cref="TeamException">The processes did not meet.</exception>
    public static IDeviceLine Open(RankTeam team, IBackend backend, DeviceLineUse use, out string? notice) =>
        Open(team, backend, use, () => CudaInventory.OfThisMachine.LoadNccl(), Patience, out notice);

    /// <summary>The same with an NCCL of the caller's.</summary>
    internal static IDeviceLine Open(
        RankTeam team, IBackend backend, DeviceLineUse use, Func<INccl> load, TimeSpan patience, out string? notice)
    {
        ArgumentNullException.ThrowIfNull(team);
        notice = null;
        if (use == DeviceLineUse.Host || backend is not CudaBackend gpu)
            return new HostLine(team.Group, backend);
        INccl? nccl = null;
        string? lack = null;
        try
        {
            nccl = load();
        }
        catch (DeviceException missing)
        {
            lack = missing.Message;
        }
        IReadOnlyList<byte[]> said = team.GatherBytes(JsonSerializer.SerializeToUtf8Bytes(
            new Offer(
                Environment.MachineName, gpu.BusPlace, nccl?.Version ?? 0,
                nccl?.Version >= SharingVersion && Environment.GetEnvironmentVariable(SharingVariable) == "1", lack)));
        byte[] text = team.Leads ? JsonSerializer.SerializeToUtf8Bytes(Agree(said, nccl)) : [];
        Agreement agreement = JsonSerializer.Deserialize<Agreement>(team.BroadcastBytes(text))!;
        if (agreement.Id is { } id)
        {
            IDeviceLine line = gpu.Join(nccl!, team.Group, NcclId.Of(id), patience);
            notice = team.Leads ? $"GPUs exchange values by {line.Description}." : null;
            return line;
        }
        if (team.Leads && use == DeviceLineUse.Nccl)
            throw new DeviceException($"NCCL cannot join these GPUs: {agreement.Reason}.");
        notice = team.Leads
            ? $"GPUs exchange values through the memory of the host, since NCCL cannot: {agreement.Reason}."
            : null;
        return new HostLine(team.Group, backend);
    }

    private static Agreement Agree(IReadOnlyList<byte[]> said, INccl? nccl)
    {
        Offer[] offers = [.. said.Select(one => JsonSerializer.Deserialize<Offer>(one)!)];
        if (Difference(offers) is { } reason)
            return new Agreement(null, reason);
        try
        {
            return new Agreement(nccl!.CreateId().ToArray(), null);
        }
        catch (DeviceException failure)
        {
            return new Agreement(null, failure.Message.TrimEnd('.'));
        }
    }

    private static string? Difference(Offer[] offers)
    {
        for (int rank = 0; rank < offers.Length; rank++)
        {
            Offer one = offers[rank], first = offers[0];
            if (one.Lack is { } lack)
                return FormattableString.Invariant($"rank {rank} on {one.Host} has {lack.TrimEnd('.')}");
            if (one.Version != first.Version)
                return FormattableString.Invariant($"rank {rank} on {one.Host} has NCCL ")
                    + $"{CudaInventory.DecimalVersion(one.Version)}, rank 0 on {first.Host} "
                    + $"{CudaInventory.DecimalVersion(first.Version)}";
            int other = Array.FindIndex(offers, offer => (offer.Host, offer.Gpu) == (one.Host, one.Gpu));
            if (other < rank && !one.Shares)
                return FormattableString.Invariant($"ranks {other} and {rank} on {one.Host} compute on one GPU, {one.Gpu}; ")
                    + "start no more processes than a machine has GPUs";
        }
        return null;
    }
}
