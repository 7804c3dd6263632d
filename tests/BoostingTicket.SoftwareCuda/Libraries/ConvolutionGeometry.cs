using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.SoftwareCuda.Libraries;

/// <summary>Sizes of a convolution: x is n, h, w, c in memory, the filter k, r, s, c, y is n, p, q, k.</summary>
internal readonly record struct ConvolutionGeometry(
    int N, int C, int H, int W, int K, int R, int S, int P, int Q, int Padding, int Stride, bool IsBFloat16)
{
    /// <summary>Bytes of an element.</summary>
    public int ElementBytes => IsBFloat16 ? 2 : 4;

    /// <summary>Elements of x.</summary>
    public int XLength => N * H * W * C;

    /// <summary>Elements of the filter.</summary>
    public int WLength => K * R * S * C;

    /// <summary>Elements of y.</summary>
    public int YLength => N * P * Q * K;

    /// <summary>Elements of what a pass writes.</summary>
    public int OutputLength(ConvolutionDirection direction) => direction switch
    {
        ConvolutionDirection.Forward => YLength,
        ConvolutionDirection.BackwardData => XLength,
        _ => WLength,
    };
}
