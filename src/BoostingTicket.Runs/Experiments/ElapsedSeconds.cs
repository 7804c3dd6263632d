using BoostingTicket.Training.Progress;

namespace BoostingTicket.Runs.Experiments;

/// <summary>What work took.</summary>
/// <param name="Processor">Seconds of all processors that the process used.</param>
/// <param name="Wall">Seconds that passed.</param>
internal readonly record struct ElapsedSeconds(double Processor, double Wall)
{
    /// <summary>What training took.</summary>
    public static ElapsedSeconds Of(in TrainingWork work) => new(work.ProcessorSeconds, work.WallSeconds);

    /// <summary>Sum.</summary>
    public static ElapsedSeconds operator +(ElapsedSeconds left, ElapsedSeconds right) => Add(left, right);

    /// <summary>Sum.</summary>
    public static ElapsedSeconds Add(ElapsedSeconds left, ElapsedSeconds right) =>
        new(left.Processor + right.Processor, left.Wall + right.Wall);
}
