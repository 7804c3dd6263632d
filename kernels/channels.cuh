// How kernels that treat all pixels of a channel alike divide their work, and how the sums of a channel are combined.
//
// A block has 256 threads: 2^lane_bits lanes, each the owner of one 16-byte vector of channels, times 256 >> lane_bits rows.
// blockIdx.x counts groups of lanes, blockIdx.y chunks of consecutive pixels; row r of a block visits the chunk's pixels r,
// r + rows, r + 2 rows, .... The division depends on sizes alone, and so does the order of every sum.
// The launchers choose it (ChannelGrid).
#pragma once
#include "packed.cuh"

enum
{
    channel_threads = 256,
    final_channels = 4, // What a block of a finishing kernel combines: its threads are final_channels x 64 chunks.
};

struct ChannelWork
{
    int vector;         // Of the pixel's vectors, this thread's.
    int lanes;
    int rows;
    int first;          // The thread's first pixel.
    int end;            // One past the chunk's last pixel.
    bool owns;          // False for a lane past the last vector.

    // Number of this thread's vector of the b-th pixel of a batch.
    __device__ __forceinline__ size_t at(int pixel, int b, int vectors) const
    {
        return (size_t)(pixel + b * rows) * vectors + vector;
    }
};

__device__ __forceinline__ ChannelWork channel_work(int chunk, int pixels, int vectors, int lane_bits, int pixels_per_chunk)
{
    ChannelWork work;
    work.lanes = 1 << lane_bits;
    work.rows = channel_threads >> lane_bits;
    work.vector = ((int)blockIdx.x << lane_bits) + ((int)threadIdx.x & (work.lanes - 1));
    work.owns = work.vector < vectors;
    int start = chunk * pixels_per_chunk;
    work.first = start + ((int)threadIdx.x >> lane_bits);
    work.end = start + min(pixels_per_chunk, pixels - start);
    return work;
}

// Calls body(pixel, count) for the thread's pixels in order, `batch` at a time and the rest one by one, the count known to the
// compiler; body works on the pixels pixel, pixel + rows, ..., count in all. It should ask for all of their vectors before it
// works on the first, so that enough bytes are under way.
template <int batch, typename Body>
__device__ __forceinline__ void for_pixels(const ChannelWork& work, Body body)
{
    int pixel = work.first;
    for (; pixel + (batch - 1) * work.rows < work.end; pixel += batch * work.rows)
        body(pixel, batch);
    for (; pixel < work.end; pixel += work.rows)
        body(pixel, 1);
}

// Adds the sums of a block's rows, in pairs. Afterwards the threads of row 0 hold the totals of their channels.
template <int Count>
__device__ __forceinline__ void sum_rows(float (&values)[Count], int lanes)
{
    __shared__ float shared[Count][channel_threads];
    int thread = threadIdx.x;
    for (int i = 0; i < Count; i++)
        shared[i][thread] = values[i];
    __syncthreads();
    for (int half = channel_threads / 2; half >= lanes; half >>= 1)
    {
        if (thread < half)
        {
            for (int i = 0; i < Count; i++)
                shared[i][thread] += shared[i][thread + half];
        }
        __syncthreads();
    }
    if (thread < lanes)
    {
        for (int i = 0; i < Count; i++)
            values[i] = shared[i][thread];
    }
}

// The same for the two sums of a finalising block, whose rows are final_channels wide, in double precision.
__device__ __forceinline__ void sum_final_rows(double& a, double& b)
{
    __shared__ double shared[2][channel_threads];
    int thread = threadIdx.x;
    shared[0][thread] = a;
    shared[1][thread] = b;
    __syncthreads();
    for (int half = channel_threads / 2; half >= final_channels; half >>= 1)
    {
        if (thread < half)
        {
            shared[0][thread] += shared[0][thread + half];
            shared[1][thread] += shared[1][thread + half];
        }
        __syncthreads();
    }
    a = shared[0][thread & (final_channels - 1)];
    b = shared[1][thread & (final_channels - 1)];
}

// As many coefficients as a vector has channels, from an address aligned to 16 bytes.
template <int length>
__device__ __forceinline__ void load_coefficients(const float* from, float (&values)[length])
{
#pragma unroll
    for (int i = 0; i < length; i += 4)
    {
        float4 four = *(const float4*)(from + i);
        values[i] = four.x;
        values[i + 1] = four.y;
        values[i + 2] = four.z;
        values[i + 3] = four.w;
    }
}
