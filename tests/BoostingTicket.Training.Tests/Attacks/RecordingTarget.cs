using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Training.Attacks;

namespace BoostingTicket.Training.Tests.Attacks;

/// <summary>Keeps the images that an attack asks a network about, and their losses.</summary>
internal sealed class RecordingTarget(IAttackTarget target) : IAttackTarget
{
    public IBackend Backend => target.Backend;

    public BatchBuffers Buffers => target.Buffers;

    public bool MayRepeat => false;

    /// <summary>Every call's images and losses.</summary>
    public List<(float[] Images, float[] Losses)> Calls { get; } = [];

    public void Prepare() => target.Prepare();

    public void Losses(LossKind loss)
    {
        target.Losses(loss);
        Keep();
    }

    public void Gradients(LossKind loss)
    {
        target.Gradients(loss);
        Keep();
    }

    private void Keep()
    {
        float[] images = new float[Buffers.Input.Length], losses = new float[Buffers.Batch];
        Backend.Download(Buffers.Input, images);
        Backend.Download(Buffers.Losses.All, losses);
        Calls.Add((images, losses));
    }
}
