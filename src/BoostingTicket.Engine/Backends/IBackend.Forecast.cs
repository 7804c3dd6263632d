namespace BoostingTicket.Engine.Backends;

/// <summary>How often a step computes a convolution.</summary>
/// <param name="Forward">Forward passes.</param>
/// <param name="InputGradients">Gradients of the input.</param>
/// <param name="FilterGradients">Gradients of the filter.</param>
internal readonly record struct ConvolutionPasses(int Forward, int InputGradients, int FilterGradients);

internal partial interface IBackend
{
    /// <summary>Seconds that a convolution is expected to take for one image on one core, in float32, by the measured prices that
    /// choose its algorithms; nothing is run. Prices are those of one machine: on others, ratios are worth more than
    /// seconds.</summary>
    /// <param name="shape">The convolution.</param>
    /// <param name="kept">Kept weights; all of them without a mask.</param>
    /// <param name="passes">What is computed.</param>
    /// <returns>Null for a device that knows no prices.</returns>
    double? ForecastConvolution(ConvolutionShape shape, int kept, ConvolutionPasses passes) => null;
}
