namespace BoostingTicket.Engine.Graph;

/// <summary>Family of an operation, for profiles.</summary>
internal enum OperationKind
{
    /// <summary>Bringing filters up to date with the weights.</summary>
    Prepare,

    /// <summary>Convolution or linear layer, forward.</summary>
    ConvolutionForward,

    /// <summary>Its input gradient.</summary>
    ConvolutionBackwardInput,

    /// <summary>Its filter gradient.</summary>
    ConvolutionBackwardFilter,

    /// <summary>Normalisation, either direction.</summary>
    Normalization,

    /// <summary>Pooling, either direction.</summary>
    Pooling,

    /// <summary>Whatever else goes over a tensor once.</summary>
    Elementwise,

    /// <summary>Loss and gradient of the logits.</summary>
    Loss,
}
