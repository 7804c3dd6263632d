// Filters between the order of the parameters (filter, channel, row, column; float32; from any 4-byte aligned address) and that
// of the convolutions (filter, row, column, channel; the backend's type; filters and channels padded to whole vectors with
// zeros). For each filter this transposes channels x taps, a tap being a row and column of the kernel. A block does a tile of
// some channels and taps of one filter through shared memory, so that both sides go through memory in order; the host cuts tiles
// of at most 2048 values whose channels are a multiple of eight.
#include "common.cuh"

enum { tile_values = 2048 };

// Where a value of a tile lies: a gap after every 32 values keeps the threads of a warp on different banks in both directions.
__device__ __forceinline__ int skewed(int value) { return value + (value >> 5); }

struct Tile
{
    int filter, first_channel, first_tap, channels, taps;

    // `physical` channels are cut every `tile_channels`, taps every `tile_taps`; blocks count tiles of taps fastest, filters
    // slowest.
    __device__ __forceinline__ Tile(u32 block, int physical, int all_taps, int tile_channels, int tile_taps)
    {
        u32 tap_tiles = (u32)(all_taps + tile_taps - 1) / (u32)tile_taps;
        u32 channel_tiles = (u32)(physical + tile_channels - 1) / (u32)tile_channels;
        u32 rest = block / tap_tiles;
        first_tap = (int)(block - rest * tap_tiles) * tile_taps;
        filter = (int)(rest / channel_tiles);
        first_channel = (int)(rest - (u32)filter * channel_tiles) * tile_channels;
        channels = physical - first_channel < tile_channels ? physical - first_channel : tile_channels;
        taps = all_taps - first_tap < tile_taps ? all_taps - first_tap : tile_taps;
    }
};

// A filter to be packed; Cuda/Kernels/FilterWork.cs has the same fields.
struct FilterWork
{
    const float* weight;
    const float* scale;     // Null for 1.
    void* packed;
    const float* shift;     // Null only where packed_shift is.
    void* packed_shift;     // Null where it is not wanted.
    int filters, channels, physical_channels, all_taps, tile_channels, tile_taps;
    u32 first_block;        // Blocks before it, for all padded filters of the works before.
    u32 unused;
};

// The work of this block: the last that begins at it or before.
__device__ __forceinline__ const FilterWork* work_of_block(const FilterWork* works, int count)
{
    int low = 0, high = count - 1;
    while (low < high)
    {
        int middle = (low + high + 1) >> 1;
        if (works[middle].first_block <= blockIdx.x)
            low = middle;
        else
            high = middle - 1;
    }
    return works + low;
}

// packed[k][tap][c] = scale[k] * weight[k][c][tap], packed_shift[k] = shift[k], of several filters.
// Reads 64 bytes a work, 4 bytes a weight, and 4 a filter of scale and of shift; writes the packed filters, padding included, and
// the packed shifts.
template <typename T>
__device__ __forceinline__ void prepare(const FilterWork* works, int count)
{
    enum { length = VectorOf<T>::length };
    __shared__ float values[tile_values + tile_values / 32];
    const FilterWork* work = work_of_block(works, count);
    int channels = work->channels, physical_channels = work->physical_channels, all_taps = work->all_taps;
    Tile tile(blockIdx.x - work->first_block, physical_channels, all_taps, work->tile_channels, work->tile_taps);
    bool there = tile.filter < work->filters;
    const float* scale = work->scale;
    float factor = there && scale != nullptr ? scale[tile.filter] : 1.0f;
    T* packed_shift = (T*)work->packed_shift;
    if (packed_shift != nullptr && there && tile.first_channel == 0 && tile.first_tap == 0 && threadIdx.x == 0)
        packed_shift[tile.filter] = from_float<T>(work->shift[tile.filter]);
    const float* from = work->weight + ((i64)tile.filter * channels + tile.first_channel) * all_taps + tile.first_tap;
    for (int i = (int)threadIdx.x; i < tile.channels * tile.taps; i += (int)blockDim.x)
    {
        int channel = (int)((u32)i / (u32)tile.taps), tap = i - channel * tile.taps;
        bool present = there && tile.first_channel + channel < channels;
        values[skewed(i)] = present ? __fmul_rn(from[(i64)channel * all_taps + tap], factor) : 0.0f;
    }
    __syncthreads();
    T* to = (T*)work->packed + ((i64)tile.filter * all_taps + tile.first_tap) * physical_channels + tile.first_channel;
    int vectors = tile.channels / length;
    for (int i = (int)threadIdx.x; i < vectors * tile.taps; i += (int)blockDim.x)
    {
        int tap = (int)((u32)i / (u32)vectors), channel = (i - tap * vectors) * length;
        float vector[length];
#pragma unroll
        for (int j = 0; j < length; j++)
            vector[j] = values[skewed((channel + j) * tile.taps + tap)];
        store_vector(to + (i64)tap * physical_channels + channel, vector);
    }
}

// gradient[k][c][tap] = packed[k][tap][c]. Blocks for the filters without padding.
// Reads the packed gradient of these filters, channel padding included; writes 4 bytes a weight.
template <typename T>
__device__ __forceinline__ void export_gradient(
    const T* packed, float* gradient, int channels, int physical_channels, int all_taps, int tile_channels, int tile_taps)
{
    enum { length = VectorOf<T>::length };
    __shared__ float values[tile_values + tile_values / 32];
    Tile tile(blockIdx.x, physical_channels, all_taps, tile_channels, tile_taps);
    const T* from = packed + ((i64)tile.filter * all_taps + tile.first_tap) * physical_channels + tile.first_channel;
    int vectors = tile.channels / length;
    for (int i = (int)threadIdx.x; i < vectors * tile.taps; i += (int)blockDim.x)
    {
        int tap = (int)((u32)i / (u32)vectors), channel = (i - tap * vectors) * length;
        float vector[length];
        load_vector(from + (i64)tap * physical_channels + channel, vector);
#pragma unroll
        for (int j = 0; j < length; j++)
            values[skewed((channel + j) * tile.taps + tap)] = vector[j];
    }
    __syncthreads();
    float* to = gradient + ((i64)tile.filter * channels + tile.first_channel) * all_taps + tile.first_tap;
    for (int i = (int)threadIdx.x; i < tile.channels * tile.taps; i += (int)blockDim.x)
    {
        int channel = (int)((u32)i / (u32)tile.taps), tap = i - channel * tile.taps;
        if (tile.first_channel + channel < channels)
            to[(i64)channel * all_taps + tap] = values[skewed(i)];
    }
}

#define FILTERS(suffix, T) \
    extern "C" __global__ void __launch_bounds__(256) filters_prepare_##suffix(const FilterWork* works, int count) \
    { \
        prepare<T>(works, count); \
    } \
    extern "C" __global__ void __launch_bounds__(256) filters_export_gradient_##suffix( \
        const T* packed, float* gradient, int channels, int physical_channels, int all_taps, int tile_channels, int tile_taps) \
    { \
        export_gradient<T>(packed, gradient, channels, physical_channels, all_taps, tile_channels, tile_taps); \
    }

FILTERS(f32, float)
FILTERS(bf16, bf16)
