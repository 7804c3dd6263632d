using Microsoft.Extensions.Logging;

namespace BoostingTicket.Training.Progress;

/// <summary>Passes progress on and keeps a log of it. Nothing is logged before the first stage begins, so that a run that is
/// refused leaves no trace.</summary>
/// <param name="inner">Shows the progress.</param>
/// <param name="logger">Keeps the log.</param>
internal sealed class LoggedProgress(IRunProgress inner, ILogger logger) : IRunProgress
{
    private string? _stage;
    private string? _statement;

    /// <inheritdoc/>
    public void StageStarted(string stage, long totalSteps, long doneSteps)
    {
        if (_stage is null)
            logger.LogInformation("started or resumed{Statement}", _statement is null ? "" : $": {_statement}");
        _stage = stage;
        logger.LogInformation("{Stage}: {DoneSteps} of {TotalSteps} steps done", stage, doneSteps, totalSteps);
        inner.StageStarted(stage, totalSteps, doneSteps);
    }

    /// <summary>Says what is about to be done. It is logged when the first stage begins.</summary>
    /// <param name="statement">One line.</param>
    public void State(string statement)
    {
        _statement = statement;
        inner.Note(statement);
    }

    /// <inheritdoc/>
    public void StepsDone(long doneSteps, double samplesPerSecond) => inner.StepsDone(doneSteps, samplesPerSecond);

    /// <inheritdoc/>
    public void RunLeft(double seconds) => inner.RunLeft(seconds);

    /// <inheritdoc/>
    public void EpochDone(EpochRecord epoch, int totalEpochs)
    {
        ArgumentNullException.ThrowIfNull(epoch);
        logger.LogInformation(
            "{Stage}: epoch {Epoch}/{TotalEpochs}, loss {TrainLoss:F4}, train {TrainAccuracy:F4}, val {ValidationClean:F4}, "
            + "robust {ValidationRobust:F4}",
            _stage, epoch.Epoch, totalEpochs, epoch.TrainLoss, epoch.TrainAccuracy, epoch.ValidationClean,
            epoch.ValidationRobust);
        inner.EpochDone(epoch, totalEpochs);
    }

    /// <inheritdoc/>
    public void StageFinished()
    {
        logger.LogInformation("{Stage}: finished", _stage);
        inner.StageFinished();
    }

    /// <inheritdoc/>
    public void Note(string text)
    {
        if (_stage is not null)
            logger.LogInformation("{Text}", text);
        inner.Note(text);
    }

    /// <inheritdoc/>
    public void Warn(string text)
    {
        if (_stage is not null)
            logger.LogWarning("{Text}", text);
        inner.Warn(text);
    }

    /// <summary>Logs what ended the run early, if it had begun.</summary>
    public void Failed(Exception error)
    {
        ArgumentNullException.ThrowIfNull(error);
        if (_stage is null)
            return;
        if (error is OperationCanceledException)
            logger.LogWarning("{Stage}: interrupted and saved", _stage);
        else
            logger.LogError("{Stage}: {Message}", _stage, error.Message);
    }
}
