using static TorchSharp.torch;

namespace BoostingTicket.GoldenData.Attacks;

/// <summary>An attack as its paper publishes it, over a whole pool of samples at once.</summary>
/// <param name="name">Name of the attack, and prefix of its tensors.</param>
internal abstract class PublishedAttack(string name)
{
    /// <summary>Name of the attack, and prefix of its tensors.</summary>
    public string Name => name;

    /// <summary>Entries of the images that are kept, of each round; empty for all.</summary>
    public virtual IReadOnlyList<long> KeptImages => [];

    /// <summary>Numbers to be written beside the tensors, by name.</summary>
    public abstract IReadOnlyDictionary<string, double> Constants { get; }

    /// <summary>Attacks every sample of the scene.</summary>
    /// <param name="victim">The network.</param>
    /// <param name="scene">Images and labels.</param>
    /// <param name="asProgram">Where the authors' program reads its paper otherwise, as the program does.</param>
    public abstract Recording Run(Victim victim, Scene scene, bool asProgram);

    /// <summary>What the course of a sample shows, so that different ones can be chosen; null for nothing worth
    /// recording.</summary>
    public abstract string? Kind(Recording recording, int sample);

    /// <summary>Whether the first largest logit is not the label's.</summary>
    protected static Tensor IsFooled(Tensor logits, Tensor labels) => logits.argmax(1) != labels;

    /// <summary>The projection onto ball and box.</summary>
    protected static Tensor Project(Tensor x, Tensor clean) =>
        maximum(minimum(x, clean + Scene.Epsilon), clean - Scene.Epsilon).clamp(0, 1);

    /// <summary>Rows of <paramref name="yes"/> where <paramref name="condition"/> [samples] holds, else of <paramref
    /// name="no"/>.</summary>
    protected static Tensor Choose(Tensor condition, Tensor yes, Tensor no) =>
        where(condition.reshape([-1, .. Enumerable.Repeat(1L, (int)yes.dim() - 1)]), yes, no);

    /// <summary>Rounded to float32 where it was computed in more: a start that both sides share.</summary>
    protected static Tensor Rounded(Tensor tensor) => tensor.to(float32).to(float64);
}
