using BoostingTicket.Training.Progress;

namespace BoostingTicket.Cli.Progress;

/// <summary>Shows how work goes while it goes.</summary>
internal interface IProgressDisplay : IRunProgress
{
    /// <summary>Does the work with the display up; what the work throws comes through.</summary>
    T Show<T>(Func<T> work);
}
