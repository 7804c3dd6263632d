// Scaling by channel, sums and ReLU, forward and backward; with nothing of these, the conversion between float32 and bfloat16.
//
// A thread works on one unit of a pixel's channels - a vector of 16 bytes, or the two float32 vectors that one bfloat16 vector
// stands beside - and goes through the pixels in steps of the grid: block (units, pixels), grid (pixels, what is left of units).
// So its factors and summands are loaded once. Tensors are NHWC, padded; any two of the same element type may be one.
#include "common.cuh"

template <typename A, typename B> struct Unit
{
    enum { width = (int)VectorOf<A>::length > (int)VectorOf<B>::length ? (int)VectorOf<A>::length : (int)VectorOf<B>::length };
};

// y = act(scale[c] * x + shift[c] + residual); act is ReLU or nothing; absent operands are null. NaN passes the ReLU.
// Reads x, residual if there is one, and 8 bytes for each channel and thread; writes y. Moves, for each element of y, the bytes of
// an element of x, of y, and once more of y with a residual.
template <typename X, typename Y>
__device__ __forceinline__ void forward(
    const X* x, const float* scale, const float* shift, const Y* residual, int relu, Y* y, int channels, int x_channels,
    int y_channels, i64 pixels)
{
    enum { width = Unit<X, Y>::width };
    int channel = (int)(blockIdx.y * blockDim.x + threadIdx.x) * width;
    if (channel >= channels)
        return;
    float factors[width], summands[width];
    load_channels(scale, channel, channels, 1.0f, factors);
    load_channels(shift, channel, channels, -0.0f, summands); // x + -0 is x, also for x = -0
    i64 step = (i64)gridDim.x * blockDim.y;
    for (i64 pixel = (i64)blockIdx.x * blockDim.y + threadIdx.y; pixel < pixels; pixel += step)
    {
        float values[width];
        load_unit<width>(x + pixel * x_channels, channel, x_channels, values);
#pragma unroll
        for (int i = 0; i < width; i++)
            values[i] = __fmaf_rn(values[i], factors[i], summands[i]);
        if (residual != nullptr)
        {
            float others[width];
            load_unit<width>(residual + pixel * y_channels, channel, y_channels, others);
#pragma unroll
            for (int i = 0; i < width; i++)
                values[i] = __fadd_rn(values[i], others[i]);
        }
        if (relu)
        {
#pragma unroll
            for (int i = 0; i < width; i++)
                values[i] = values[i] < 0.0f ? 0.0f : values[i];
        }
        store_unit<width>(y + pixel * y_channels, channel, y_channels, values);
    }
}

// dx = (scale[c] * dy + addend) where relu_output > 0, else 0; absent operands are null.
// Reads dy, addend and relu_output where they are there, and 4 bytes for each channel and thread; writes dx.
template <typename DY, typename DX>
__device__ __forceinline__ void backward(
    const DY* dy, const float* scale, const DX* addend, const DX* relu_output, DX* dx, int channels, int dy_channels,
    int dx_channels, i64 pixels)
{
    enum { width = Unit<DY, DX>::width };
    int channel = (int)(blockIdx.y * blockDim.x + threadIdx.x) * width;
    if (channel >= channels)
        return;
    float factors[width];
    load_channels(scale, channel, channels, 1.0f, factors);
    i64 step = (i64)gridDim.x * blockDim.y;
    for (i64 pixel = (i64)blockIdx.x * blockDim.y + threadIdx.y; pixel < pixels; pixel += step)
    {
        float values[width];
        load_unit<width>(dy + pixel * dy_channels, channel, dy_channels, values);
        if (addend != nullptr)
        {
            float others[width];
            load_unit<width>(addend + pixel * dx_channels, channel, dx_channels, others);
#pragma unroll
            for (int i = 0; i < width; i++)
                values[i] = __fmaf_rn(values[i], factors[i], others[i]);
        }
        else
        {
#pragma unroll
            for (int i = 0; i < width; i++)
                values[i] = __fmul_rn(values[i], factors[i]);
        }
        if (relu_output != nullptr)
        {
            float outputs[width];
            load_unit<width>(relu_output + pixel * dx_channels, channel, dx_channels, outputs);
#pragma unroll
            for (int i = 0; i < width; i++)
                values[i] = outputs[i] > 0.0f ? values[i] : 0.0f;
        }
        store_unit<width>(dx + pixel * dx_channels, channel, dx_channels, values);
    }
}

#define ELEMENTWISE(suffix, A, B) \
    extern "C" __global__ void __launch_bounds__(256) elementwise_forward_##suffix( \
        const A* x, const float* scale, const float* shift, const B* residual, int relu, B* y, int channels, int x_channels, \
        int y_channels, i64 pixels) \
    { \
        forward<A, B>(x, scale, shift, residual, relu, y, channels, x_channels, y_channels, pixels); \
    } \
    extern "C" __global__ void __launch_bounds__(256) elementwise_backward_##suffix( \
        const A* dy, const float* scale, const B* addend, const B* relu_output, B* dx, int channels, int dy_channels, \
        int dx_channels, i64 pixels) \
    { \
        backward<A, B>(dy, scale, addend, relu_output, dx, channels, dy_channels, dx_channels, pixels); \
    }

// Suffix: the types of x and y, of dy and dx.
ELEMENTWISE(f32_f32, float, float)
ELEMENTWISE(f32_bf16, float, bf16)
ELEMENTWISE(bf16_f32, bf16, float)
ELEMENTWISE(bf16_bf16, bf16, bf16)
