namespace BoostingTicket.Training.Progress;

/// <summary>Told how a run goes, so that it can be shown. Called on the run's thread; must return quickly.</summary>
internal interface IRunProgress
{
    /// <summary>A stage begins.</summary>
    /// <param name="stage">Name, such as <c>seed 0 · donor (FGSM)</c>.</param>
    /// <param name="totalSteps">Batches that it will take at most.</param>
    /// <param name="doneSteps">Batches done before, when it is resumed.</param>
    void StageStarted(string stage, long totalSteps, long doneSteps);

    /// <summary>Batches were done since the stage began or was resumed.</summary>
    /// <param name="doneSteps">Batches done in all.</param>
    /// <param name="samplesPerSecond">Speed of the last second or so.</param>
    void StepsDone(long doneSteps, double samplesPerSecond);

    /// <summary>About how long the whole run still takes, with all its seeds, arms and tests. Told before the steps that it
    /// follows from; never where only one stage is known.</summary>
    /// <param name="seconds">Seconds, 0 or more.</param>
    void RunLeft(double seconds)
    {
    }

    /// <summary>An epoch of the current stage ended.</summary>
    void EpochDone(EpochRecord epoch, int totalEpochs);

    /// <summary>The stage ended.</summary>
    void StageFinished();

    /// <summary>Something the user should know.</summary>
    void Note(string text);

    /// <summary>Something the user should worry about.</summary>
    void Warn(string text);
}
