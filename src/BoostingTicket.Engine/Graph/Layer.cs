using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Graph;

/// <summary>One kind of node of a network graph. A layer declares its shape and parameters and lowers itself to backend
/// operations, forward and backward; it holds no values. Adding a layer made of existing operations takes one class derived
/// from this.</summary>
internal abstract class Layer
{
    /// <summary>Inputs that the layer takes.</summary>
    public virtual int InputCount => 1;

    /// <summary>Parameters and statistics, in PyTorch's order.</summary>
    public virtual IReadOnlyList<ParameterSpec> Parameters(FeatureShape input) => [];

    /// <summary>Shape of the output.</summary>
    /// <exception cref="ArgumentException">The inputs do not fit the layer; the message says which and why.</exception>
    public abstract FeatureShape OutputShape(ReadOnlySpan<FeatureShape> inputs);

    /// <summary>Multiply-adds of one sample's forward pass; convolutions and linear layers only, as the field counts.</summary>
    public virtual long MultiplyAdds(FeatureShape input) => 0;

    /// <summary>The convolution that the layer is, a linear layer too; null for other layers.</summary>
    public virtual ConvolutionShape? ConvolutionFor(FeatureShape input) => null;

    /// <summary>What an operation before the layer can do in its place.</summary>
    public virtual LayerFusion Fusion => default;

    /// <summary>Whether the layer is a convolution or a linear layer: its weights see its input, and nothing that comes
    /// after.</summary>
    public virtual bool IsConvolution => false;

    /// <summary>The same layer with another number of output channels; itself where they follow its inputs.</summary>
    public virtual Layer WithOutputs(int channels) => this;

    /// <summary>Emits the layer's operations into a compiled graph, and what its backward pass will emit.</summary>
    public abstract void Lower(ILowering lowering, Node node);
}
