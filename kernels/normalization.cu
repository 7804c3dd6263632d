// Batch normalisation over a batch's own statistics (Ioffe and Szegedy, 2015), forward with residual sum and activation,
// backward with gradient sum and the activation's derivative, and the folded form for evaluation. Parameters, statistics and
// arithmetic are float32 in
// every precision; partial sums are combined in double precision.
//
// Either direction is three launches: partial sums of each chunk of pixels, totals and coefficients of each channel, result.
// Scratch: 4 x physical_channels float32 coefficients, then chunks x physical_channels pairs of double partial sums.
// The last pass visits the chunks backwards, so that it begins with what the first pass left in the second-level cache.
#include "activation.cuh"
#include "channels.cuh"

// Reads x (once). Writes 16 bytes of partials per chunk and channel: mean and sum of squared deviations from it.
// Squares are taken of distances to the chunk's first value, so that no digits are lost however far the mean is from zero.
template <typename T>
__device__ __forceinline__ void statistics(
    const T* x, int pixels, int vectors, int lane_bits, int pixels_per_chunk, double2* partials)
{
    constexpr int length = VectorOf<T>::length, batch = 4;
    ChannelWork work = channel_work(blockIdx.y, pixels, vectors, lane_bits, pixels_per_chunk);
    int start = blockIdx.y * pixels_per_chunk;
    float origin[length] = {}, sums[2 * length] = {};
    if (work.owns)
    {
        load_vector(x + ((size_t)start * vectors + work.vector) * length, origin);
        for_pixels<batch>(work, [&](int pixel, int count)
        {
            Packed packed[batch];
#pragma unroll
            for (int b = 0; b < count; b++)
                packed[b] = load_packed(x, work.at(pixel, b, vectors));
#pragma unroll
            for (int b = 0; b < count; b++)
            {
                float value[length];
                unpack(packed[b], value);
#pragma unroll
                for (int i = 0; i < length; i++)
                {
                    float distance = value[i] - origin[i];
                    sums[i] += distance;
                    sums[length + i] = fmaf(distance, distance, sums[length + i]);
                }
            }
        });
    }
    sum_rows(sums, work.lanes);
    if ((int)threadIdx.x < work.lanes && work.owns)
    {
        double count = work.end - start;
        double2* to = partials + ((size_t)blockIdx.y * vectors + work.vector) * length;
#pragma unroll
        for (int i = 0; i < length; i++)
        {
            double step = sums[i] / count;
            to[i] = make_double2(origin[i] + step, sums[length + i] - sums[i] * step);
        }
    }
}

// Reads 16 bytes of partials per chunk and channel, and of each channel gamma, beta and the running statistics (16 bytes).
// Writes of each channel the saved and the running statistics (16 bytes) and the coefficients of the result (12 bytes):
//   y = (x - centre) * scale + shift,
// where the shift makes up for the rounding of centre to float32. The running variance takes the unbiased one.
// Padding channels get coefficients of zero.
extern "C" __global__ void __launch_bounds__(channel_threads) norm_forward_finish(
    const double2* partials, int chunks, int pixels_per_chunk, int pixels, int channels, int physical_channels,
    const float* gamma, const float* beta, float epsilon, float* running_mean, float* running_variance, float momentum,
    float* saved_mean, float* saved_inverse, float* coefficients)
{
    int channel = blockIdx.x * final_channels + (threadIdx.x & (final_channels - 1));
    double origin = partials[channel].x, sum = 0, square = 0;
    for (int chunk = threadIdx.x / final_channels; chunk < chunks; chunk += channel_threads / final_channels)
    {
        double2 partial = partials[(size_t)chunk * physical_channels + channel];
        double count = min(pixels_per_chunk, pixels - chunk * pixels_per_chunk), distance = partial.x - origin;
        sum += count * distance;
        square += partial.y + count * distance * distance;
    }
    sum_final_rows(sum, square);
    if (threadIdx.x >= final_channels)
        return;
    float centre = 0, scale = 0, shift = 0;
    if (channel < channels)
    {
        double step = sum / pixels, mean = origin + step, deviations = square - sum * step;
        if (deviations < 0)
            deviations = 0;
        double inverse = 1 / sqrt(deviations / pixels + epsilon);
        centre = (float)mean;
        scale = (float)(gamma[channel] * inverse);
        shift = (float)(beta[channel] + (centre - mean) * scale);
        saved_mean[channel] = centre;
        saved_inverse[channel] = (float)inverse;
        if (running_mean)
        {
            double keep = 1.0 - momentum, unbiased = deviations / (pixels - 1.0);
            running_mean[channel] = (float)(keep * running_mean[channel] + momentum * mean);
            running_variance[channel] = (float)(keep * running_variance[channel] + momentum * unbiased);
        }
    }
    coefficients[channel] = centre;
    coefficients[physical_channels + channel] = scale;
    coefficients[2 * physical_channels + channel] = shift;
}

// y = act((x - centre) * scale + shift + residual). Reads x and, where there is one, residual (once); writes y (once).
// x, residual and y may coincide.
template <typename T>
__device__ __forceinline__ void apply(
    const T* x, const T* residual, int activation, float slope, const float* coefficients, int pixels, int vectors,
    int lane_bits, int pixels_per_chunk, T* y)
{
    constexpr int length = VectorOf<T>::length, batch = 4;
    ChannelWork work = channel_work(gridDim.y - 1 - blockIdx.y, pixels, vectors, lane_bits, pixels_per_chunk);
    if (!work.owns)
        return;
    int physical_channels = vectors * length, channel = work.vector * length;
    float centre[length], scale[length], shift[length];
    load_coefficients(coefficients + channel, centre);
    load_coefficients(coefficients + physical_channels + channel, scale);
    load_coefficients(coefficients + 2 * physical_channels + channel, shift);
    for_pixels<batch>(work, [&](int pixel, int count)
    {
        Packed packed[batch], summand[batch] = {};
#pragma unroll
        for (int b = 0; b < count; b++)
            packed[b] = load_packed(x, work.at(pixel, b, vectors));
        if (residual)
        {
#pragma unroll
            for (int b = 0; b < count; b++)
                summand[b] = load_packed(residual, work.at(pixel, b, vectors));
        }
#pragma unroll
        for (int b = 0; b < count; b++)
        {
            float value[length], added[length];
            unpack(packed[b], value);
            unpack(summand[b], added);
#pragma unroll
            for (int i = 0; i < length; i++)
                value[i] = fmaf(value[i] - centre[i], scale[i], shift[i]) + added[i];
            activate(value, activation, slope);
            store_vector(y + work.at(pixel, b, vectors) * length, value);
        }
    });
}

// Reads x and dy (once) and the saved mean. Writes 16 bytes of partials per chunk and channel: sums of dy and of
// dy * (x - mean).
template <typename T>
__device__ __forceinline__ void gradient_sums(
    const T* x, const T* dy, const float* saved_mean, int pixels, int channels, int vectors, int lane_bits, int pixels_per_chunk,
    double2* partials)
{
    constexpr int length = VectorOf<T>::length, batch = 4;
    ChannelWork work = channel_work(blockIdx.y, pixels, vectors, lane_bits, pixels_per_chunk);
    float mean[length], sums[2 * length] = {};
    if (work.owns)
    {
        load_channels(saved_mean, work.vector * length, channels, 0, mean);
        for_pixels<batch>(work, [&](int pixel, int count)
        {
            Packed packed[batch], gradient[batch];
#pragma unroll
            for (int b = 0; b < count; b++)
            {
                packed[b] = load_packed(x, work.at(pixel, b, vectors));
                gradient[b] = load_packed(dy, work.at(pixel, b, vectors));
            }
#pragma unroll
            for (int b = 0; b < count; b++)
            {
                float value[length], slope[length];
                unpack(packed[b], value);
                unpack(gradient[b], slope);
#pragma unroll
                for (int i = 0; i < length; i++)
                {
                    sums[i] += slope[i];
                    sums[length + i] = fmaf(slope[i], value[i] - mean[i], sums[length + i]);
                }
            }
        });
    }
    sum_rows(sums, work.lanes);
    if ((int)threadIdx.x < work.lanes && work.owns)
    {
        double2* to = partials + ((size_t)blockIdx.y * vectors + work.vector) * length;
#pragma unroll
        for (int i = 0; i < length; i++)
            to[i] = make_double2(sums[i], sums[length + i]);
    }
}

// Reads 16 bytes of partials per chunk and channel, and of each channel gamma and the saved statistics (12 bytes). Writes of
// each channel the gradients of gamma and beta (8 bytes; either may be absent) and the coefficients of the result (16 bytes):
//   dx = dy * of_dy + (x - centre) * of_x + constant.
// Padding channels get coefficients of zero.
extern "C" __global__ void __launch_bounds__(channel_threads) norm_backward_finish(
    const double2* partials, int chunks, int pixels, int channels, int physical_channels, const float* gamma,
    const float* saved_mean, const float* saved_inverse, float* dscale, float* dshift, float* coefficients)
{
    int channel = blockIdx.x * final_channels + (threadIdx.x & (final_channels - 1));
    double sum = 0, product = 0;
    for (int chunk = threadIdx.x / final_channels; chunk < chunks; chunk += channel_threads / final_channels)
    {
        double2 partial = partials[(size_t)chunk * physical_channels + channel];
        sum += partial.x;
        product += partial.y;
    }
    sum_final_rows(sum, product);
    if (threadIdx.x >= final_channels)
        return;
    float centre = 0, of_dy = 0, of_x = 0, constant = 0;
    if (channel < channels)
    {
        double inverse = saved_inverse[channel], factor = gamma[channel] * inverse;
        centre = saved_mean[channel];
        of_dy = (float)factor;
        of_x = (float)(-factor * inverse * inverse * product / pixels);
        constant = (float)(-factor * sum / pixels);
        if (dscale)
            dscale[channel] = (float)(product * inverse);
        if (dshift)
            dshift[channel] = (float)sum;
    }
    coefficients[channel] = centre;
    coefficients[physical_channels + channel] = of_dy;
    coefficients[2 * physical_channels + channel] = of_x;
    coefficients[3 * physical_channels + channel] = constant;
}

// dx = (dy * of_dy + (x - centre) * of_x + constant + addend) * act'(through). Reads x, dy and, where there are
// any, addend and through (once); writes dx (once). dx may be dy or the addend.
template <typename T>
__device__ __forceinline__ void apply_gradient(
    const T* x, const T* dy, const T* addend, const T* through, int activation, float steepness, const float* coefficients,
    int pixels, int vectors, int lane_bits, int pixels_per_chunk, T* dx)
{
    constexpr int length = VectorOf<T>::length, batch = 2;
    ChannelWork work = channel_work(gridDim.y - 1 - blockIdx.y, pixels, vectors, lane_bits, pixels_per_chunk);
    if (!work.owns)
        return;
    int physical_channels = vectors * length, channel = work.vector * length;
    float centre[length], of_dy[length], of_x[length], constant[length];
    load_coefficients(coefficients + channel, centre);
    load_coefficients(coefficients + physical_channels + channel, of_dy);
    load_coefficients(coefficients + 2 * physical_channels + channel, of_x);
    load_coefficients(coefficients + 3 * physical_channels + channel, constant);
    for_pixels<batch>(work, [&](int pixel, int count)
    {
        Packed packed[batch], gradient[batch], summand[batch] = {}, point[batch] = {};
#pragma unroll
        for (int b = 0; b < count; b++)
        {
            packed[b] = load_packed(x, work.at(pixel, b, vectors));
            gradient[b] = load_packed(dy, work.at(pixel, b, vectors));
        }
        if (addend)
        {
#pragma unroll
            for (int b = 0; b < count; b++)
                summand[b] = load_packed(addend, work.at(pixel, b, vectors));
        }
        if (through)
        {
#pragma unroll
            for (int b = 0; b < count; b++)
                point[b] = load_packed(through, work.at(pixel, b, vectors));
        }
#pragma unroll
        for (int b = 0; b < count; b++)
        {
            float value[length], slope[length], added[length], points[length];
            unpack(packed[b], value);
            unpack(gradient[b], slope);
            unpack(summand[b], added);
            unpack(point[b], points);
#pragma unroll
            for (int i = 0; i < length; i++)
                value[i] = fmaf(slope[i], of_dy[i], fmaf(value[i] - centre[i], of_x[i], constant[i])) + added[i];
            if (through)
                differentiate(value, points, activation, steepness);
            store_vector(dx + work.at(pixel, b, vectors) * length, value);
        }
    });
}

// scale = gamma / sqrt(variance + epsilon), shift = beta + (bias - mean) * scale. Reads 16 bytes a channel, 20 with a bias;
// writes 8. The summand belongs to the factor as it is rounded, so that the two cancel as exactly as they can.
extern "C" __global__ void __launch_bounds__(channel_threads) norm_fold(
    const float* gamma, const float* beta, const float* mean, const float* variance, float epsilon, const float* bias,
    float* scale, float* shift, int channels)
{
    int channel = blockIdx.x * channel_threads + threadIdx.x;
    if (channel >= channels)
        return;
    float factor = (float)(gamma[channel] / sqrt((double)variance[channel] + epsilon));
    double before = bias ? bias[channel] : 0;
    scale[channel] = factor;
    shift[channel] = (float)(beta[channel] + (before - mean[channel]) * factor);
}

#define NORMALIZATION_KERNELS(suffix, T)                                                                                      \
    extern "C" __global__ void __launch_bounds__(channel_threads) norm_statistics_##suffix(                                   \
        const T* x, int pixels, int vectors, int lane_bits, int pixels_per_chunk, double2* partials)                          \
    {                                                                                                                         \
        statistics(x, pixels, vectors, lane_bits, pixels_per_chunk, partials);                                                \
    }                                                                                                                         \
    extern "C" __global__ void __launch_bounds__(channel_threads) norm_forward_##suffix(                                      \
        const T* x, const T* residual, int activation, float slope, const float* coefficients, int pixels, int vectors,       \
        int lane_bits, int pixels_per_chunk, T* y)                                                                            \
    {                                                                                                                         \
        apply(x, residual, activation, slope, coefficients, pixels, vectors, lane_bits, pixels_per_chunk, y);                 \
    }                                                                                                                         \
    extern "C" __global__ void __launch_bounds__(channel_threads) norm_gradient_sums_##suffix(                                \
        const T* x, const T* dy, const float* saved_mean, int pixels, int channels, int vectors, int lane_bits,               \
        int pixels_per_chunk, double2* partials)                                                                              \
    {                                                                                                                         \
        gradient_sums(x, dy, saved_mean, pixels, channels, vectors, lane_bits, pixels_per_chunk, partials);                   \
    }                                                                                                                         \
    extern "C" __global__ void __launch_bounds__(channel_threads) norm_backward_##suffix(                                     \
        const T* x, const T* dy, const T* addend, const T* through, int activation, float slope, const float* coefficients,   \
        int pixels, int vectors, int lane_bits, int pixels_per_chunk, T* dx)                                                  \
    {                                                                                                                         \
        apply_gradient(                                                                                                       \
            x, dy, addend, through, activation, slope, coefficients, pixels, vectors, lane_bits, pixels_per_chunk, dx);       \
    }

NORMALIZATION_KERNELS(f32, float)
NORMALIZATION_KERNELS(bf16, bf16)
