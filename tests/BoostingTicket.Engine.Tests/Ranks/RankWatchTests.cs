using System.Net;
using System.Net.Sockets;
using BoostingTicket.Engine.Ranks;

namespace BoostingTicket.Engine.Tests.Ranks;

/// <summary>The line between two processes, here in one.</summary>
internal sealed class RankWatchTests
{
    private static readonly string[] Hosts = ["a", "b"];
    private static readonly byte[] Token = [.. Enumerable.Range(0, 16).Select(i => (byte)i)];
    private static readonly TimeSpan Silence = TimeSpan.FromMinutes(2), Patience = TimeSpan.FromMinutes(1);

    [Test]
    public void A_failure_is_told_with_rank_and_host()
    {
        (RankWatch leader, RankWatch other) = Open(() => { });
        using (leader)
        using (other)
        {
            Assert.That(leader.ThrowIfFailed, Throws.Nothing);
            other.Fail("The device is gone.", 4);
            Assert.That(() => leader.Failure, Is.Not.Null.After((int)Patience.TotalMilliseconds, 20));
            Assert.That(leader.Failure!.Message, Is.EqualTo("Rank 1 on b: The device is gone."));
            Assert.That(leader.Failure.ExitCode, Is.EqualTo(4));
            Assert.That(leader.ThrowIfFailed, Throws.TypeOf<TeamException>());
        }
    }

    [Test]
    public void An_end_is_a_loss_but_not_when_all_end()
    {
        (RankWatch leader, RankWatch other) = Open(() => { });
        other.Dispose();
        Assert.That(() => leader.Failure, Is.Not.Null.After((int)Patience.TotalMilliseconds, 20));
        Assert.That(leader.Failure!.ExitCode, Is.EqualTo(TeamException.Lost));
        leader.Dispose();

        (leader, other) = Open(() => { });
        leader.Close();
        other.Dispose();
        Assert.That(() => leader.Hears, Is.False.After((int)Patience.TotalMilliseconds, 20), "the end has arrived");
        Assert.That(leader.Failure, Is.Null);
        leader.Dispose();
    }

    [Test]
    public void A_request_to_stop_and_an_order_to_end_arrive()
    {
        using var asked = new ManualResetEventSlim();
        (RankWatch leader, RankWatch other) = Open(asked.Set);
        using (leader)
        using (other)
        {
            other.AskToStop();
            Assert.That(asked.Wait(Patience));
            leader.EndAll(130);
            Assert.That(() => other.Failure?.ExitCode, Is.EqualTo(130).After((int)Patience.TotalMilliseconds, 20));
        }
    }

    [Test]
    public void A_stranger_is_not_taken_for_a_process()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        using var stranger = new TcpClient("127.0.0.1", port);
        stranger.GetStream().Write(new byte[20]);
        Task<RankWatch> accepted = Task.Run(() => RankWatch.Accept(listener, Token, Hosts, Silence, () => { }));
        using RankWatch other = RankWatch.Call([IPAddress.Loopback], port, Token, 1, Hosts, Silence);
        using RankWatch leader = accepted.Result;
        Assert.That(stranger.GetStream().ReadByte(), Is.EqualTo(-1), "the stranger's line is closed");
    }

    private static (RankWatch Leader, RankWatch Other) Open(Action stop)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        Task<RankWatch> other = Task.Run(() => RankWatch.Call([IPAddress.Loopback], port, Token, 1, Hosts, Silence));
        return (RankWatch.Accept(listener, Token, Hosts, Silence, stop), other.Result);
    }
}
