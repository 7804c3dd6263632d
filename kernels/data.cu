// Images out of a store of bytes, and float32 NCHW values from and to tensors. Blocks are (items of a sample, samples), the grid
// runs over what is left of both and the kernels over samples in steps of it.
#include "common.cuh"

// A byte / 255, rounded as the division rounds: the remainder of the product with the reciprocal corrects it.
__device__ __forceinline__ float unit_interval(u32 byte)
{
    const float reciprocal = 1.0f / 255.0f;
    float value = (float)byte;
    float quotient = __fmul_rn(value, reciprocal);
    float remainder = __fmaf_rn(-quotient, 255.0f, value);
    return __fmaf_rn(remainder, reciprocal, quotient);
}

// Takes images from the store: shifted, zeros coming in, then mirrored left to right where asked. A request is 8 bytes: the
// image's number, the columns it moves right, the rows it moves down (signed bytes), whether it is mirrored, a byte without
// meaning. A thread, a pixel.
// Reads a byte for each value (bytes of a row one after the other: 32 pixels, 32 bytes) and 8 for each sample and warp; writes 16
// bytes a pixel with up to four channels.
extern "C" __global__ void __launch_bounds__(256) data_gather_f32(
    const unsigned char* images, const int2* requests, float* destination, int batch, int channels, int physical_channels,
    int height, int width)
{
    u32 pixel = blockIdx.x * blockDim.x + threadIdx.x, pixels = (u32)height * (u32)width;
    if (pixel >= pixels)
        return;
    int row = (int)(pixel / (u32)width), column = (int)(pixel - (u32)row * (u32)width);
    for (i64 sample = (i64)blockIdx.y * blockDim.y + threadIdx.y; sample < batch; sample += (i64)gridDim.y * blockDim.y)
    {
        int2 request = requests[sample];
        int shift_x = (signed char)(request.y & 0xff), shift_y = (signed char)((request.y >> 8) & 0xff);
        bool flip = ((request.y >> 16) & 0xff) != 0;
        int from_column = (flip ? width - 1 - column : column) - shift_x, from_row = row - shift_y;
        bool inside = (u32)from_column < (u32)width && (u32)from_row < (u32)height;
        const unsigned char* from = images + (i64)request.x * channels * pixels + (i64)from_row * width + from_column;
        float* to = destination + (sample * pixels + pixel) * physical_channels;
        for (int channel = 0; channel < physical_channels; channel += 4)
        {
            float values[4];
#pragma unroll
            for (int i = 0; i < 4; i++)
            {
                bool there = inside && channel + i < channels;
                values[i] = there ? unit_interval(from[(i64)(channel + i) * pixels]) : 0.0f;
            }
            store_vector(to + channel, values);
        }
    }
}

// float32 NCHW values into a tensor. A thread makes a vector: consecutive threads take consecutive pixels, then the next
// channels. Reads 4 bytes a value, a pixel's beside the next pixel's; writes the tensor, padding included.
template <typename T>
__device__ __forceinline__ void import_values(
    const float* values, T* destination, int batch, int channels, int physical_channels, int pixels)
{
    enum { length = VectorOf<T>::length };
    u32 item = blockIdx.x * blockDim.x + threadIdx.x;
    u32 group = item / (u32)pixels, pixel = item - group * (u32)pixels;
    int channel = (int)group * length;
    if (channel >= channels)
        return;
    for (i64 sample = (i64)blockIdx.y * blockDim.y + threadIdx.y; sample < batch; sample += (i64)gridDim.y * blockDim.y)
    {
        const float* from = values + (sample * channels + channel) * pixels + pixel;
        float vector[length];
#pragma unroll
        for (int i = 0; i < length; i++)
            vector[i] = channel + i < channels ? from[(i64)i * pixels] : 0.0f;
        store_vector(destination + (sample * pixels + pixel) * physical_channels + channel, vector);
    }
}

// A tensor as float32 NCHW values. A thread takes a vector apart, in the order of import.
// Reads the tensor; writes 4 bytes a value, a pixel's beside the next pixel's.
template <typename T>
__device__ __forceinline__ void export_values(
    const T* source, float* values, int batch, int channels, int physical_channels, int pixels)
{
    enum { length = VectorOf<T>::length };
    u32 item = blockIdx.x * blockDim.x + threadIdx.x;
    u32 group = item / (u32)pixels, pixel = item - group * (u32)pixels;
    int channel = (int)group * length;
    if (channel >= channels)
        return;
    for (i64 sample = (i64)blockIdx.y * blockDim.y + threadIdx.y; sample < batch; sample += (i64)gridDim.y * blockDim.y)
    {
        float vector[length];
        load_vector(source + (sample * pixels + pixel) * physical_channels + channel, vector);
        float* to = values + (sample * channels + channel) * pixels + pixel;
#pragma unroll
        for (int i = 0; i < length; i++)
        {
            if (channel + i < channels)
                to[(i64)i * pixels] = vector[i];
        }
    }
}

#define TRANSFER(suffix, T) \
    extern "C" __global__ void __launch_bounds__(256) data_import_##suffix( \
        const float* values, T* destination, int batch, int channels, int physical_channels, int pixels) \
    { \
        import_values<T>(values, destination, batch, channels, physical_channels, pixels); \
    } \
    extern "C" __global__ void __launch_bounds__(256) data_export_##suffix( \
        const T* source, float* values, int batch, int channels, int physical_channels, int pixels) \
    { \
        export_values<T>(source, values, batch, channels, physical_channels, pixels); \
    }

TRANSFER(f32, float)
TRANSFER(bf16, bf16)
