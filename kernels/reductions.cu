// Sums that come out with the same bits every time: their order depends on sizes only.
#include "channels.cuh"

// Reads dy (once). Writes 8 bytes of partials per chunk and channel: the sum of the chunk's pixels.
template <typename T>
__device__ __forceinline__ void channel_sums(
    const T* dy, int pixels, int vectors, int lane_bits, int pixels_per_chunk, double* partials)
{
    constexpr int length = VectorOf<T>::length, batch = 4;
    ChannelWork work = channel_work(blockIdx.y, pixels, vectors, lane_bits, pixels_per_chunk);
    float sums[length] = {};
    if (work.owns)
    {
        for_pixels<batch>(work, [&](int pixel, int count)
        {
            Packed packed[batch];
#pragma unroll
            for (int b = 0; b < count; b++)
                packed[b] = load_packed(dy, work.at(pixel, b, vectors));
#pragma unroll
            for (int b = 0; b < count; b++)
            {
                float value[length];
                unpack(packed[b], value);
#pragma unroll
                for (int i = 0; i < length; i++)
                    sums[i] += value[i];
            }
        });
    }
    sum_rows(sums, work.lanes);
    if ((int)threadIdx.x < work.lanes && work.owns)
    {
        double* to = partials + ((size_t)blockIdx.y * vectors + work.vector) * length;
#pragma unroll
        for (int i = 0; i < length; i++)
            to[i] = sums[i];
    }
}

extern "C" __global__ void __launch_bounds__(channel_threads) channel_sums_f32(
    const float* dy, int pixels, int vectors, int lane_bits, int pixels_per_chunk, double* partials)
{
    channel_sums<float>(dy, pixels, vectors, lane_bits, pixels_per_chunk, partials);
}

extern "C" __global__ void __launch_bounds__(channel_threads) channel_sums_bf16(
    const bf16* dy, int pixels, int vectors, int lane_bits, int pixels_per_chunk, double* partials)
{
    channel_sums<bf16>(dy, pixels, vectors, lane_bits, pixels_per_chunk, partials);
}

// Reads 8 bytes of partials per chunk and channel; writes 4 bytes a channel, none for padding.
extern "C" __global__ void __launch_bounds__(channel_threads) channel_sums_finish(
    const double* partials, int chunks, int channels, int physical_channels, float* sums)
{
    int channel = blockIdx.x * final_channels + (threadIdx.x & (final_channels - 1));
    double sum = 0, unused = 0;
    for (int chunk = threadIdx.x / final_channels; chunk < chunks; chunk += channel_threads / final_channels)
        sum += partials[(size_t)chunk * physical_channels + channel];
    sum_final_rows(sum, unused);
    if (threadIdx.x < final_channels && channel < channels)
        sums[channel] = (float)sum;
}
