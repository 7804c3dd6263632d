using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Backends;

internal partial interface IBackend
{
    /// <summary>A uniform random start in the ball of <see cref="PixelBall"/>:
    /// <c>adversarial = clamp(clean + ε (2u - 1), low, high)</c>, <c>u</c> uniform in [0, 1).</summary>
    /// <remarks>Logical value <c>e</c> of sample <c>s</c> draws word <c>e % 4</c> of
    /// <c>Philox.Words(key, e / 4, samples[s], epoch, restart)</c>, on every backend, where <c>e = (channel * height + row) *
    /// width + column</c>. All arithmetic is float32, each operation rounded and none fused, so that backends agree to the bit:
    /// <c>u = (word &gt;&gt; 8) * 2^-24</c> (exact); <c>t = 2 * u - 1</c> (exact); <c>d = ε * t</c>; <c>v = clean + d</c>;
    /// <c>min(max(v, low), high)</c> with <see cref="PixelBall.Low"/> and <see cref="PixelBall.High"/>.</remarks>
    /// <param name="clean">N x image shape in [0, 1].</param>
    /// <param name="samples">Identity of each of the N samples.</param>
    /// <param name="epsilon">Radius in pixel units.</param>
    /// <param name="key">Stream, epoch and restart.</param>
    /// <param name="adversarial">N x image shape; overwritten.</param>
    void RandomStart(Tensor clean, IntBuffer samples, float epsilon, RandomStartKey key, Tensor adversarial);

    /// <summary>A normally distributed start around the clean image (TRADES): <c>adversarial = clean + σ n</c>. Not clamped: the
    /// first step of the attack does that.</summary>
    /// <remarks>Logical values <c>2i</c> and <c>2i + 1</c> of sample <c>s</c> take the two numbers that <see
    /// cref="Philox.Normal"/> makes of words <c>2i % 4</c> and <c>2i % 4 + 1</c> of the counter that <see cref="RandomStart"/>
    /// takes for them, to float32 accuracy.</remarks>
    /// <param name="clean">N x image shape in [0, 1].</param>
    /// <param name="samples">Identity of each of the N samples.</param>
    /// <param name="deviation">σ in pixel units.</param>
    /// <param name="key">Stream, epoch and restart.</param>
    /// <param name="adversarial">N x image shape; overwritten.</param>
    void NormalStart(Tensor clean, IntBuffer samples, float deviation, RandomStartKey key, Tensor adversarial);

    /// <summary>One whole step of an L∞ attack in a single pass: <c>adversarial = clamp(adversarial + α sign(gradient), low,
    /// high)</c>, with sign(0) = 0 and the bounds of <see cref="PixelBall"/>, so that the result is in the ball without
    /// tolerance.</summary>
    /// <param name="clean">N x image shape in [0, 1].</param>
    /// <param name="gradient">Gradient of the loss to be raised.</param>
    /// <param name="epsilon">Radius in pixel units.</param>
    /// <param name="stepSize">α in pixel units.</param>
    /// <param name="adversarial">Read and written.</param>
    void AttackStep(Tensor clean, Tensor gradient, float epsilon, float stepSize, Tensor adversarial);

    /// <summary>Keeps, sample by sample, the worse of two adversarial candidates: where <paramref name="candidateLosses"/>
    /// is larger than <paramref name="bestLosses"/>, the candidate and its loss replace the best. A candidate that is
    /// misclassified counts as one of infinite loss.</summary>
    /// <param name="candidate">N x image shape.</param>
    /// <param name="candidateLosses">N losses of the candidates.</param>
    /// <param name="best">N x image shape; read and written.</param>
    /// <param name="bestLosses">N losses; read and written.</param>
    /// <param name="candidateCorrect">0 for candidates that are misclassified, as <see cref="Loss"/> writes it; null where losses
    /// alone count.</param>
    void KeepWorst(
        Tensor candidate, FloatBuffer candidateLosses, Tensor best, FloatBuffer bestLosses, FloatBuffer? candidateCorrect = null);

    /// <summary>Largest perturbation (<see cref="PixelBall.Distance"/>) and pixel range of an attacked batch; waits for the
    /// device.</summary>
    PerturbationExtent MeasurePerturbation(Tensor clean, Tensor adversarial);
}
