using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Backends;

internal partial interface IBackend
{
    /// <summary>Batch normalisation over the batch's own statistics (Ioffe and Szegedy, 2015), then residual and activation.
    /// <c>y = epilogue(γ (x - mean) / sqrt(variance + ε) + β)</c>.</summary>
    /// <param name="operands">γ, β and the places of the saved statistics.</param>
    /// <param name="running">Running statistics to update, or null to leave them alone.</param>
    /// <param name="x">N x shape.</param>
    /// <param name="y">N x shape; overwritten. May be <paramref name="x"/> only if no backward pass follows.</param>
    /// <param name="epilogue">Residual and activation; its shift must be null.</param>
    void NormalizationForward(
        in NormalizationOperands operands, RunningStatistics? running, Tensor x, Tensor y, in ForwardEpilogue epilogue);

    /// <summary>Backward pass of <see cref="NormalizationForward"/> through the batch statistics.</summary>
    /// <param name="operands">As in the forward pass, with the saved statistics it wrote.</param>
    /// <param name="x">The forward pass's input.</param>
    /// <param name="dy">Gradient of the normalised value (behind any activation's derivative).</param>
    /// <param name="dx">Gradient of the input; overwritten. May be <paramref name="dy"/>.</param>
    /// <param name="dScale">Receives the gradient of γ, or null when it is not wanted.</param>
    /// <param name="dShift">Receives the gradient of β, or null when it is not wanted.</param>
    /// <param name="epilogue">Accumulation and the activation's derivative of <paramref name="dx"/>.</param>
    void NormalizationBackward(
        in NormalizationOperands operands, Tensor x, Tensor dy, Tensor dx, BufferSlice? dScale, BufferSlice? dShift,
        in GradientEpilogue epilogue);

    /// <summary>Turns a normalisation by running statistics, and the bias of the convolution before it, into a factor and a
    /// summand per channel: <c>scale = γ / sqrt(variance + ε)</c>, <c>shift = β - mean * scale + bias * scale</c>.</summary>
    /// <param name="gamma">γ.</param>
    /// <param name="beta">β.</param>
    /// <param name="mean">Running mean.</param>
    /// <param name="variance">Running variance.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="bias">Bias of the convolution before, or null.</param>
    /// <param name="scale">Receives the factor.</param>
    /// <param name="shift">Receives the summand.</param>
    void FoldNormalization(
        BufferSlice gamma, BufferSlice beta, BufferSlice mean, BufferSlice variance, float epsilon, BufferSlice? bias,
        BufferSlice scale, BufferSlice shift);

    /// <summary><c>y = epilogue(scale[channel] * x)</c>: normalisation by constants.</summary>
    /// <param name="x">N x shape.</param>
    /// <param name="scale">A factor for each channel.</param>
    /// <param name="y">N x shape; overwritten. May be <paramref name="x"/>.</param>
    /// <param name="epilogue">Shift, residual and activation.</param>
    void ScaleForward(Tensor x, BufferSlice scale, Tensor y, in ForwardEpilogue epilogue);

    /// <summary><c>dx = epilogue(scale[channel] * dy)</c>. <paramref name="dx"/> may be <paramref name="dy"/>.</summary>
    void ScaleBackward(Tensor dy, BufferSlice scale, Tensor dx, in GradientEpilogue epilogue);
}
