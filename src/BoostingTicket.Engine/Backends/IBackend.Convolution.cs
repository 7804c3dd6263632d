using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Backends;

internal partial interface IBackend
{
    /// <summary>A filter for a convolution, not prepared yet.</summary>
    Filter CreateFilter(ConvolutionShape shape, FilterUses uses);

    /// <summary>Brings a filter up to date with its weights.</summary>
    void PrepareFilter(Filter filter, in FilterSource source);

    /// <summary>Whether <see cref="PrepareFilters"/> is cheaper than one call of <see cref="PrepareFilter"/> after the other; a
    /// profile then shows all filters of a plan as one operation.</summary>
    bool PreparesFiltersTogether => false;

    /// <summary>Brings several filters, each once, up to date with their weights.</summary>
    void PrepareFilters(IReadOnlyList<FilterUpdate> updates)
    {
        ArgumentNullException.ThrowIfNull(updates);
        foreach (FilterUpdate update in updates)
            PrepareFilter(update.Filter, update.Source);
    }

    /// <summary><c>y = epilogue(x * w)</c>.</summary>
    /// <param name="filter">Prepared with <see cref="FilterUses.Forward"/>.</param>
    /// <param name="x">N x input shape.</param>
    /// <param name="y">N x output shape; overwritten. Must not be <paramref name="x"/>; may be the residual.</param>
    /// <param name="epilogue">Shift, residual and activation.</param>
    void ConvolutionForward(Filter filter, Tensor x, Tensor y, in ForwardEpilogue epilogue);

    /// <summary>Gradient of a convolution's input.</summary>
    /// <param name="filter">Prepared with <see cref="FilterUses.BackwardInput"/>.</param>
    /// <param name="dy">N x output shape.</param>
    /// <param name="dx">N x input shape; overwritten. Must not be <paramref name="dy"/>; may be the addend.</param>
    /// <param name="epilogue">Accumulation and the activation's derivative.</param>
    void ConvolutionBackwardInput(Filter filter, Tensor dy, Tensor dx, in GradientEpilogue epilogue);

    /// <summary>Whether <see cref="ConvolutionBackwardInputScaled"/> may be called: it does in one pass over memory what
    /// <see cref="ConvolutionBackwardInput"/> and <see cref="ScaleBackward"/> do in two.</summary>
    bool ScalesInputGradients => false;

    /// <summary>Gradient of a convolution's input, taken further back through a normalisation by constants:
    /// <c>dx = scale[channel] * epilogue(gradient) + summand</c>.</summary>
    /// <param name="filter">Prepared with <see cref="FilterUses.BackwardInput"/>.</param>
    /// <param name="dy">N x output shape.</param>
    /// <param name="dx">N x input shape; overwritten. Must not be <paramref name="dy"/>; may be the addend or the
    /// summand.</param>
    /// <param name="epilogue">Accumulation and the activation's derivative, before the scale.</param>
    /// <param name="scale">A factor for each channel of the input.</param>
    /// <param name="summand">A gradient to add behind the scale, or null.</param>
    void ConvolutionBackwardInputScaled(
        Filter filter, Tensor dy, Tensor dx, in GradientEpilogue epilogue, BufferSlice scale, Tensor? summand) =>
        throw new NotSupportedException("This backend scales no gradients of convolutions.");

    /// <summary>Gradient of a convolution's weights, summed over the batch. Overwrites <paramref name="dw"/>; entries whose
    /// mask is 0 may hold the true gradient or 0.</summary>
    /// <param name="filter">Made with <see cref="FilterUses.BackwardFilter"/> and prepared.</param>
    /// <param name="x">N x input shape.</param>
    /// <param name="dy">N x output shape.</param>
    /// <param name="dw">Weight gradient, output channel first.</param>
    void ConvolutionBackwardFilter(Filter filter, Tensor x, Tensor dy, BufferSlice dw);

    /// <summary>Sum of a gradient over samples and pixels, for each channel: the gradient of a bias. Overwrites
    /// <paramref name="db"/>.</summary>
    void BiasBackward(Tensor dy, BufferSlice db);
}
