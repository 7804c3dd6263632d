// Vectors of a tensor as they lie in memory: so, those that wait for their turn take few registers.
#pragma once
#include "common.cuh"

struct Packed
{
    uint4 words;
};

template <typename T>
__device__ __forceinline__ Packed load_packed(const T* from, size_t vector)
{
    return {*(const uint4*)(from + vector * VectorOf<T>::length)};
}

__device__ __forceinline__ void unpack(const Packed& packed, float (&values)[4])
{
    values[0] = __uint_as_float(packed.words.x);
    values[1] = __uint_as_float(packed.words.y);
    values[2] = __uint_as_float(packed.words.z);
    values[3] = __uint_as_float(packed.words.w);
}

__device__ __forceinline__ void unpack(const Packed& packed, float (&values)[8])
{
    u32 words[4] = {packed.words.x, packed.words.y, packed.words.z, packed.words.w};
#pragma unroll
    for (int i = 0; i < 4; i++)
    {
        values[2 * i] = __uint_as_float(words[i] << 16);
        values[2 * i + 1] = __uint_as_float(words[i] & 0xffff0000u);
    }
}
