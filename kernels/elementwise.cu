// Scaling by channel, sums and activations, forward and backward; with nothing of these, the conversion between float32 and
// bfloat16.
//
// A thread works on one unit of a pixel's channels - a vector of 16 bytes, or the two float32 vectors that one bfloat16 vector
// stands beside - and goes through the pixels in steps of the grid: block (units, pixels), grid (pixels, what is left of units).
// So its factors and summands are loaded once. Tensors are NHWC, padded; any two of the same element type may be one.
#include "activation.cuh"

template <typename A, typename B> struct Unit
{
    enum { width = (int)VectorOf<A>::length > (int)VectorOf<B>::length ? (int)VectorOf<A>::length : (int)VectorOf<B>::length };
};

// y = act(scale[c] * x + shift[c] + residual); absent operands are null.
// Reads x, residual if there is one, and 8 bytes for each channel and thread; writes y. Moves, for each element of y, the bytes
// of an element of x, of y, and once more of y with a residual.
template <typename X, typename Y>
__device__ __forceinline__ void forward(
    const X* x, const float* scale, const float* shift, const Y* residual, int activation, float slope, Y* y, int channels,
    int x_channels, int y_channels, i64 pixels)
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
        activate(values, activation, slope);
        store_unit<width>(y + pixel * y_channels, channel, y_channels, values);
    }
}

// dx = (scale[c] * dy + addend) * act'(through); absent operands are null.
// Reads dy, addend and through where they are there, and 4 bytes for each channel and thread; writes dx.
template <typename DY, typename DX>
__device__ __forceinline__ void backward(
    const DY* dy, const float* scale, const DX* addend, const DX* through, int activation, float slope, DX* dx, int channels,
    int dy_channels, int dx_channels, i64 pixels)
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
        if (through != nullptr)
        {
            float points[width];
            load_unit<width>(through + pixel * dx_channels, channel, dx_channels, points);
            differentiate(values, points, activation, slope);
        }
        store_unit<width>(dx + pixel * dx_channels, channel, dx_channels, values);
    }
}

// dx = scale[c] * ((dy + addend) * act'(through)) + summand; absent operands but scale are null. dx may be any of them.
// Reads dy, and addend, through and summand where they are there, and 4 bytes for each channel and thread; writes dx.
template <typename T>
__device__ __forceinline__ void scaled(
    const T* dy, const T* addend, const T* through, int activation, float slope, const float* scale, const T* summand, T* dx,
    int channels, int physical_channels, i64 pixels)
{
    enum { width = VectorOf<T>::length };
    int channel = (int)(blockIdx.y * blockDim.x + threadIdx.x) * width;
    if (channel >= channels)
        return;
    float factors[width];
    load_channels(scale, channel, channels, 1.0f, factors);
    i64 step = (i64)gridDim.x * blockDim.y;
    for (i64 pixel = (i64)blockIdx.x * blockDim.y + threadIdx.y; pixel < pixels; pixel += step)
    {
        i64 at = pixel * physical_channels + channel;
        float values[width], others[width];
        load_vector(dy + at, values);
        if (addend != nullptr)
        {
            load_vector(addend + at, others);
#pragma unroll
            for (int i = 0; i < width; i++)
                values[i] = __fadd_rn(values[i], others[i]);
        }
        if (through != nullptr)
        {
            load_vector(through + at, others);
            differentiate(values, others, activation, slope);
        }
        if (summand != nullptr)
        {
            load_vector(summand + at, others);
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
        store_vector(dx + at, values);
    }
}

#define SCALED(suffix, T) \
    extern "C" __global__ void __launch_bounds__(256) elementwise_scaled_##suffix( \
        const T* dy, const T* addend, const T* through, int activation, float slope, const float* scale, const T* summand, \
        T* dx, int channels, int physical_channels, i64 pixels) \
    { \
        scaled<T>(dy, addend, through, activation, slope, scale, summand, dx, channels, physical_channels, pixels); \
    }

SCALED(f32, float)
SCALED(bf16, bf16)

#define ELEMENTWISE(suffix, A, B) \
    extern "C" __global__ void __launch_bounds__(256) elementwise_forward_##suffix( \
        const A* x, const float* scale, const float* shift, const B* residual, int activation, float slope, B* y, \
        int channels, int x_channels, int y_channels, i64 pixels) \
    { \
        forward<A, B>(x, scale, shift, residual, activation, slope, y, channels, x_channels, y_channels, pixels); \
    } \
    extern "C" __global__ void __launch_bounds__(256) elementwise_backward_##suffix( \
        const A* dy, const float* scale, const B* addend, const B* through, int activation, float slope, B* dx, \
        int channels, int dy_channels, int dx_channels, i64 pixels) \
    { \
        backward<A, B>(dy, scale, addend, through, activation, slope, dx, channels, dy_channels, dx_channels, pixels); \
    }

// Suffix: the types of x and y, of dy and dx.
ELEMENTWISE(f32_f32, float, float)
ELEMENTWISE(f32_bf16, float, bf16)
ELEMENTWISE(bf16_f32, bf16, float)
ELEMENTWISE(bf16_bf16, bf16, bf16)
