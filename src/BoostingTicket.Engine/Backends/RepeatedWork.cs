namespace BoostingTicket.Engine.Backends;

/// <summary>Work that runs many times; see <see cref="IBackend.Repeat"/>.</summary>
internal abstract class RepeatedWork : IDisposable
{
    /// <summary>Runs the work once.</summary>
    public abstract void Run();

    /// <summary>Forgets what was recorded.</summary>
    public abstract void Dispose();
}

/// <summary>Work that is called again every time.</summary>
/// <param name="work">What it calls.</param>
internal sealed class CalledWork(Action work) : RepeatedWork
{
    /// <inheritdoc/>
    public override void Run() => work();

    /// <inheritdoc/>
    public override void Dispose() { }
}
