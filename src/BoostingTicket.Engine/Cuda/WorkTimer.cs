using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Cuda;

/// <summary>Compares how long two ways take the GPU. Each is repeated in a recorded graph of its own, so that what the host needs
/// to submit calls is not part of it: in training they are replayed as graphs too.</summary>
/// <param name="context">The GPU.</param>
/// <param name="records">Whether graphs may be recorded.</param>
internal sealed class WorkTimer(CudaContext context, bool records)
{
    /// <summary>Calls in a graph.</summary>
    private const int Repeats = 4;

    /// <summary>Launches of each graph, of which the fastest counts; after one that does not.</summary>
    private const int Comparisons = 3;

    /// <summary>Milliseconds of a first launch of both after which a single comparison is enough.</summary>
    private const float Long = 50;

    /// <summary>Whether the first way is faster. Both were called before and overwrite the same destination.</summary>
    public bool IsFaster(Action first, Action second)
    {
        nint start = context.Driver.CreateEvent(), end = context.Driver.CreateEvent();
        nint firstGraph = Record(first), secondGraph = firstGraph == 0 ? 0 : Record(second);
        try
        {
            Action runFirst = Way(firstGraph, first), runSecond = Way(secondGraph, second);
            float fastestFirst = float.PositiveInfinity, fastestSecond = float.PositiveInfinity;
            for (int i = 0; i <= Comparisons; i++)
            {
                float firstTime = Measure(runFirst), secondTime = Measure(runSecond);
                if (i == 0 && firstTime + secondTime > Long)
                    return firstTime < secondTime;
                if (i == 0)
                    continue;
                fastestFirst = MathF.Min(fastestFirst, firstTime);
                fastestSecond = MathF.Min(fastestSecond, secondTime);
            }
            return fastestFirst < fastestSecond;
        }
        finally
        {
            context.Driver.Synchronize(context.Stream);
            foreach (nint graph in (nint[])[firstGraph, secondGraph])
            {
                if (graph != 0)
                    context.Driver.DestroyExecutable(graph);
            }
            context.Driver.DestroyEvent(start);
            context.Driver.DestroyEvent(end);
        }

        // Both ways as graphs, or neither: calls one by one take longer.
        Action Way(nint graph, Action work) => firstGraph != 0 && secondGraph != 0
            ? () => context.Driver.LaunchGraph(graph, context.Stream)
            : () => Repeat(work);

        float Measure(Action run)
        {
            context.Driver.Record(start, context.Stream);
            run();
            context.Driver.Record(end, context.Stream);
            context.Driver.SynchronizeEvent(end);
            return context.Driver.Milliseconds(start, end);
        }
    }

    // 0 where it cannot be recorded.
    private nint Record(Action work)
    {
        if (!records)
            return 0;
        try
        {
            return CudaCapture.Record(context, () => Repeat(work));
        }
        catch (CudaException)
        {
            return 0;
        }
    }

    private static void Repeat(Action work)
    {
        for (int i = 0; i < Repeats; i++)
            work();
    }
}
