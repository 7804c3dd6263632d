// What all kernels share: vectors of 16 bytes, bfloat16 by integer arithmetic, reductions over a block.
//
// Tensors are NHWC with the channels of a pixel padded to whole vectors (4 float32 or 8 bfloat16); padding channels hold +0 and
// every kernel that writes a tensor writes +0 there. Names end with the element types, _f32 or _bf16, of what they work on.
#pragma once

typedef long long i64;
typedef unsigned int u32;
typedef unsigned long long u64;

struct bf16
{
    unsigned short bits;
};

// Elements of a vector.
template <typename T> struct VectorOf;
template <> struct VectorOf<float> { enum { length = 4 }; };
template <> struct VectorOf<bf16> { enum { length = 8 }; };

__device__ __forceinline__ float to_float(float value) { return value; }
__device__ __forceinline__ float to_float(bf16 value) { return __uint_as_float((u32)value.bits << 16); }

// The upper half of a float32 rounded to bfloat16: to nearest, ties to even; NaN stays NaN; the lower half is not defined.
__device__ __forceinline__ u32 round_to_bf16(float value)
{
    u32 bits = __float_as_uint(value);
    u32 rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
    return value == value ? rounded : bits | 0x400000u;
}

// Two float32 as two bfloat16, the first in the lower half.
__device__ __forceinline__ u32 pack_bf16(float low, float high)
{
    return __byte_perm(round_to_bf16(low), round_to_bf16(high), 0x7632);
}

template <typename T> __device__ __forceinline__ T from_float(float value);
template <> __device__ __forceinline__ float from_float<float>(float value) { return value; }
template <> __device__ __forceinline__ bf16 from_float<bf16>(float value)
{
    bf16 result;
    result.bits = (unsigned short)(round_to_bf16(value) >> 16);
    return result;
}

// One vector from an address aligned to 16 bytes.
__device__ __forceinline__ void load_vector(const float* from, float (&values)[4])
{
    float4 packed = *(const float4*)from;
    values[0] = packed.x;
    values[1] = packed.y;
    values[2] = packed.z;
    values[3] = packed.w;
}

__device__ __forceinline__ void load_vector(const bf16* from, float (&values)[8])
{
    uint4 packed = *(const uint4*)from;
    u32 words[4] = {packed.x, packed.y, packed.z, packed.w};
#pragma unroll
    for (int i = 0; i < 4; i++)
    {
        values[2 * i] = __uint_as_float(words[i] << 16);
        values[2 * i + 1] = __uint_as_float(words[i] & 0xffff0000u);
    }
}

__device__ __forceinline__ void store_vector(float* to, const float (&values)[4])
{
    *(float4*)to = make_float4(values[0], values[1], values[2], values[3]);
}

__device__ __forceinline__ void store_vector(bf16* to, const float (&values)[8])
{
    *(uint4*)to = make_uint4(
        pack_bf16(values[0], values[1]), pack_bf16(values[2], values[3]), pack_bf16(values[4], values[5]),
        pack_bf16(values[6], values[7]));
}

// `width` consecutive channels of a pixel, from a channel that is a multiple of width. A pixel of float32 may end in the middle
// of a unit of eight; what is beyond its end reads as zero and is not written.
template <int width, typename T>
__device__ __forceinline__ void load_unit(const T* pixel, int channel, int physical_channels, float (&values)[width])
{
    constexpr int length = VectorOf<T>::length;
#pragma unroll
    for (int part = 0; part < width; part += length)
    {
        float vector[length];
        if (part == 0 || channel + part < physical_channels)
        {
            load_vector(pixel + channel + part, vector);
        }
        else
        {
#pragma unroll
            for (int i = 0; i < length; i++)
                vector[i] = 0;
        }
#pragma unroll
        for (int i = 0; i < length; i++)
            values[part + i] = vector[i];
    }
}

template <int width, typename T>
__device__ __forceinline__ void store_unit(T* pixel, int channel, int physical_channels, const float (&values)[width])
{
    constexpr int length = VectorOf<T>::length;
#pragma unroll
    for (int part = 0; part < width; part += length)
    {
        float vector[length];
#pragma unroll
        for (int i = 0; i < length; i++)
            vector[i] = values[part + i];
        if (part == 0 || channel + part < physical_channels)
            store_vector(pixel + channel + part, vector);
    }
}

// `width` (a multiple of four) consecutive values of a list with one value for each logical channel, from any 4-byte aligned
// address; `absent` for channels beyond the last and where there is no such list.
template <int width>
__device__ __forceinline__ void load_channels(
    const float* from, int channel, int channels, float absent, float (&values)[width])
{
    if (from != nullptr && ((u64)from & 15) == 0 && channel + width <= channels)
    {
#pragma unroll
        for (int i = 0; i < width; i += 4)
        {
            float4 packed = *(const float4*)(from + channel + i);
            values[i] = packed.x;
            values[i + 1] = packed.y;
            values[i + 2] = packed.z;
            values[i + 3] = packed.w;
        }
        return;
    }
#pragma unroll
    for (int i = 0; i < width; i++)
        values[i] = from != nullptr && channel + i < channels ? from[channel + i] : absent;
}

// Sum, maximum or minimum over a block whose number of threads is a multiple of 32, at most 1024; the result is thread 0's. The
// order of the operations depends on the number of threads alone. `scratch` is shared memory for 32 values and may be used again
// after the next barrier. Every thread of the block must take part.
struct Add
{
    template <typename T> static __device__ __forceinline__ T apply(T a, T b) { return a + b; }
    template <typename T> static __device__ __forceinline__ T identity() { return (T)0; }
};

// NaN wins.
struct Maximum
{
    static __device__ __forceinline__ float apply(float a, float b) { return a > b || a != a ? a : b; }
    template <typename T> static __device__ __forceinline__ T identity() { return __uint_as_float(0xff800000u); }
};

struct Minimum
{
    static __device__ __forceinline__ float apply(float a, float b) { return a < b || a != a ? a : b; }
    template <typename T> static __device__ __forceinline__ T identity() { return __uint_as_float(0x7f800000u); }
};

template <typename Operation, typename T> __device__ __forceinline__ T warp_reduce(T value)
{
#pragma unroll
    for (int distance = 16; distance > 0; distance >>= 1)
        value = Operation::apply(value, __shfl_down_sync(0xffffffffu, value, distance));
    return value;
}

template <typename Operation, typename T> __device__ __forceinline__ T block_reduce(T value, T* scratch)
{
    int thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
    int warps = (int)(blockDim.x * blockDim.y * blockDim.z) >> 5;
    value = warp_reduce<Operation>(value);
    if ((thread & 31) == 0)
        scratch[thread >> 5] = value;
    __syncthreads();
    if (thread < 32)
        value = warp_reduce<Operation>(thread < warps ? scratch[thread] : Operation::template identity<T>());
    return value;
}
