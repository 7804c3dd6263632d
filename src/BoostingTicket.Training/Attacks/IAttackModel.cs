using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Attacks;

/// <summary>A classifier as attacks with a course of their own for every sample see it: images in and logits out, both on the
/// host, and the gradient of any function of the logits.</summary>
internal interface IAttackModel
{
    /// <summary>Samples of a call.</summary>
    int Batch { get; }

    /// <summary>Shape of an image.</summary>
    FeatureShape Shape { get; }

    /// <summary>Logits of an image.</summary>
    int Classes { get; }

    /// <summary>Logits of images, where no gradient is wanted.</summary>
    /// <param name="images">N x image shape in [0, 1].</param>
    /// <param name="logits">Receives N x classes.</param>
    void Logits(ReadOnlySpan<float> images, Span<float> logits);

    /// <summary>Logits of images of which <see cref="Backward"/> then gives the gradient.</summary>
    /// <param name="images">N x image shape in [0, 1].</param>
    /// <param name="logits">Receives N x classes.</param>
    void Forward(ReadOnlySpan<float> images, Span<float> logits);

    /// <summary>Gradient at the images of the last <see cref="Forward"/>.</summary>
    /// <param name="logitGradient">N x classes: the loss's gradient by the logits.</param>
    /// <param name="imageGradient">Receives N x image shape.</param>
    void Backward(ReadOnlySpan<float> logitGradient, Span<float> imageGradient);
}

/// <summary>A network with its running statistics: the one that is evaluated.</summary>
internal sealed class NetworkModel : IAttackModel
{
    private readonly Network _network;
    private readonly Plan _gradient;
    private readonly PlanOptions _evaluation;

    /// <summary>Compiles the plan of the gradients.</summary>
    /// <param name="network">The network.</param>
    /// <param name="batch">Samples of a call.</param>
    public NetworkModel(Network network, int batch)
    {
        ArgumentNullException.ThrowIfNull(network);
        _network = network;
        Buffers = network.Buffers(batch);
        _gradient = network.Plan(new PlanOptions(batch, PlanMode.Attack, GradientRequest.Input));
        _evaluation = new PlanOptions(batch, PlanMode.Evaluate);
    }

    /// <summary>The network.</summary>
    public Network Network => _network;

    /// <summary>Images and labels on the device.</summary>
    public BatchBuffers Buffers { get; }

    /// <inheritdoc/>
    public int Batch => Buffers.Batch;

    /// <inheritdoc/>
    public FeatureShape Shape => Buffers.Input.Shape;

    /// <inheritdoc/>
    public int Classes => _gradient.Logits.Shape.Length;

    private IBackend Backend => _network.Backend;

    /// <inheritdoc/>
    public void Logits(ReadOnlySpan<float> images, Span<float> logits) => Run(_network.Plan(_evaluation), images, logits);

    /// <inheritdoc/>
    public void Forward(ReadOnlySpan<float> images, Span<float> logits) => Run(_gradient, images, logits);

    /// <inheritdoc/>
    public void Backward(ReadOnlySpan<float> logitGradient, Span<float> imageGradient)
    {
        _gradient.SetLogitGradient(logitGradient);
        _gradient.Backward();
        Backend.Download(Buffers.InputGradient, imageGradient);
    }

    private void Run(Plan plan, ReadOnlySpan<float> images, Span<float> logits)
    {
        Backend.Upload(images, Buffers.Input);
        plan.Forward();
        Backend.Download(plan.Logits, logits);
    }
}
