using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;

namespace BoostingTicket.Training.Tests.Attacks;

/// <summary>Keeps the images that an attack asks a network about, and the answers.</summary>
internal sealed class RecordingModel(IAttackModel model) : IAttackModel
{
    public int Batch => model.Batch;

    public FeatureShape Shape => model.Shape;

    public int Classes => model.Classes;

    /// <summary>Images and logits of every call without gradient.</summary>
    public List<(float[] Images, float[] Logits)> Queries { get; } = [];

    /// <summary>Images of every call with gradient.</summary>
    public List<float[]> Forwards { get; } = [];

    public void Logits(ReadOnlySpan<float> images, Span<float> logits)
    {
        model.Logits(images, logits);
        Queries.Add((images.ToArray(), logits.ToArray()));
    }

    public void Forward(ReadOnlySpan<float> images, Span<float> logits)
    {
        model.Forward(images, logits);
        Forwards.Add(images.ToArray());
    }

    public void Backward(ReadOnlySpan<float> logitGradient, Span<float> imageGradient) =>
        model.Backward(logitGradient, imageGradient);
}
