using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Backends;

internal partial interface IBackend
{
    /// <summary>One step of stochastic gradient descent with momentum and weight decay over consecutive parameters, in one
    /// pass: <c>g = gradient + decay * w; v = momentum * v + g; w = w - rate * v</c>. Where the mask is 0, w and v become
    /// exactly 0.</summary>
    /// <param name="options">Rate, momentum, decay.</param>
    /// <param name="gradients">Gradients; unchanged.</param>
    /// <param name="momenta">v; read and written.</param>
    /// <param name="masks">1 kept, 0 pruned; null when nothing is pruned.</param>
    /// <param name="weights">w; read and written.</param>
    void SgdStep(in SgdOptions options, BufferSlice gradients, BufferSlice momenta, BufferSlice? masks, BufferSlice weights);

    /// <summary><c>values = values * masks</c>, with exact zeros (not negative zero) where the mask is 0.</summary>
    void ApplyMask(BufferSlice masks, BufferSlice values);

    /// <summary><c>values = factor * values + sourceFactor * source</c>: a sum of gradients, a running average of
    /// weights.</summary>
    /// <param name="source">Read.</param>
    /// <param name="sourceFactor">Its factor.</param>
    /// <param name="factor">Factor of what <paramref name="values"/> hold.</param>
    /// <param name="values">Read and written; as long as the source, and sharing nothing with it.</param>
    void Blend(BufferSlice source, float sourceFactor, float factor, BufferSlice values);

    /// <summary><c>packed[i] = values[indices[i]]</c>: brings kept values together.</summary>
    /// <param name="values">Read.</param>
    /// <param name="indices">At least as many as there is room for in <paramref name="packed"/>, each in [0, values).</param>
    /// <param name="packed">Overwritten; shares nothing with the values.</param>
    void Pack(BufferSlice values, IntBuffer indices, BufferSlice packed);

    /// <summary><c>values[indices[i]] = packed[i]</c>: puts kept values back; others stay as they are.</summary>
    /// <param name="packed">Read.</param>
    /// <param name="indices">At least as many as there are packed values, each in [0, values), none twice.</param>
    /// <param name="values">Written where an index points to; shares nothing with the packed ones.</param>
    void Unpack(BufferSlice packed, IntBuffer indices, BufferSlice values);

    /// <summary>Sum of a slice in double precision, always in the same order; NaN or infinity if it holds one. Waits for the
    /// device.</summary>
    double Sum(BufferSlice values);
}
