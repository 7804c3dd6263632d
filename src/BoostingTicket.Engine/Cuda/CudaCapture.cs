using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Cuda;

/// <summary>Records work as a CUDA graph.</summary>
internal static class CudaCapture
{
    /// <summary>Calls work, of which nothing runs, and makes what it submitted ready to be launched.</summary>
    /// <returns>The executable graph; the caller destroys it.</returns>
    /// <exception cref="CudaException">A library cannot be recorded; nothing has run.</exception>
    public static nint Record(CudaContext context, Action work)
    {
        nint graph = Capture(context, work);
        try
        {
            return context.Driver.Instantiate(graph);
        }
        finally
        {
            context.Driver.DestroyGraph(graph);
        }
    }

    private static nint Capture(CudaContext context, Action work)
    {
        context.Driver.BeginCapture(context.Stream);
        context.IsRecording = true;
        try
        {
            work();
        }
        catch
        {
            // A stream that stays in capture can do nothing else. What ended the work also made the capture invalid, and is what
            // to tell.
            context.IsRecording = false;
            Abandon(context);
            throw;
        }
        context.IsRecording = false;
        return context.Driver.EndCapture(context.Stream);
    }

    private static void Abandon(CudaContext context)
    {
        try
        {
            nint graph = context.Driver.EndCapture(context.Stream);
            if (graph != 0)
                context.Driver.DestroyGraph(graph);
        }
        catch (CudaException)
        {
        }
    }
}
