namespace BoostingTicket.Cli.Signals;

/// <summary>Whether work is in progress that saves itself when it is asked to stop, and therefore is given the time for it.
/// Whatever else a command does is ended if it does not end by itself.</summary>
internal sealed class SavingWork
{
    private int _count;

    /// <summary>Whether such work is in progress.</summary>
    public bool IsActive => Volatile.Read(ref _count) > 0;

    /// <summary>Does work that is short and must not be cut off.</summary>
    public void Do(Action work) => Do(() =>
    {
        work();
        return true;
    });

    /// <summary>Does work that saves itself.</summary>
    public T Do<T>(Func<T> work)
    {
        Interlocked.Increment(ref _count);
        try
        {
            return work();
        }
        finally
        {
            Interlocked.Decrement(ref _count);
        }
    }
}
