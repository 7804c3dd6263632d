// The optimizer step, masks, blends, packing and sums over flat float32 buffers. A slice of one may begin at any 4-byte aligned
// address. Where all slices of a call lie alike, `head` values come before the first 16-byte aligned one and `quads` groups of
// four follow, each a thread's; what is left over is done value by value by further threads of the same launch. Where they lie
// differently, all of it is: head = length, quads = 0.
#include "common.cuh"

// The value that a thread beyond the quads works on.
__device__ __forceinline__ i64 scalar_index(i64 thread, i64 head, i64 quads)
{
    i64 scalar = thread - quads;
    return scalar < head ? scalar : scalar + 4 * quads;
}

__device__ __forceinline__ void sgd(
    float gradient, float& velocity, float& weight, bool kept, float descent, float momentum, float decay)
{
    float slope = __fmaf_rn(decay, weight, gradient);
    float v = __fmaf_rn(momentum, velocity, slope);
    float w = __fmaf_rn(descent, v, weight);
    velocity = kept ? v : 0.0f;
    weight = kept ? w : 0.0f;
}

// g = gradient + decay * w; v = momentum * v + g; w = w + descent * v, descent being the negative learning rate; v and w become
// +0 where the mask is 0, whatever they were. No mask: null.
// Reads 12 bytes a value, 16 with a mask (gradient, v, w, mask); writes 8 (v, w).
extern "C" __global__ void __launch_bounds__(256) parameters_sgd_step_f32(
    const float* gradients, float* momenta, const float* masks, float* weights, float descent, float momentum, float decay,
    i64 length, i64 head, i64 quads)
{
    i64 thread = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (thread < quads)
    {
        i64 at = head + 4 * thread;
        float g[4], v[4], w[4], m[4] = {1.0f, 1.0f, 1.0f, 1.0f};
        load_vector(gradients + at, g);
        load_vector(momenta + at, v);
        load_vector(weights + at, w);
        if (masks != nullptr)
            load_vector(masks + at, m);
#pragma unroll
        for (int i = 0; i < 4; i++)
            sgd(g[i], v[i], w[i], m[i] != 0.0f, descent, momentum, decay);
        store_vector(momenta + at, v);
        store_vector(weights + at, w);
        return;
    }
    i64 at = scalar_index(thread, head, quads);
    if (at >= length)
        return;
    float v = momenta[at], w = weights[at];
    sgd(gradients[at], v, w, masks == nullptr || masks[at] != 0.0f, descent, momentum, decay);
    momenta[at] = v;
    weights[at] = w;
}

// values = values * masks, +0 where the mask is 0, whatever the value was.
// Reads 8 bytes a value (mask, value), writes 4.
extern "C" __global__ void __launch_bounds__(256) parameters_apply_mask_f32(
    const float* masks, float* values, i64 length, i64 head, i64 quads)
{
    i64 thread = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (thread < quads)
    {
        i64 at = head + 4 * thread;
        float m[4], v[4];
        load_vector(masks + at, m);
        load_vector(values + at, v);
#pragma unroll
        for (int i = 0; i < 4; i++)
            v[i] = m[i] == 0.0f ? 0.0f : __fmul_rn(v[i], m[i]);
        store_vector(values + at, v);
        return;
    }
    i64 at = scalar_index(thread, head, quads);
    if (at >= length)
        return;
    float m = masks[at];
    values[at] = m == 0.0f ? 0.0f : __fmul_rn(values[at], m);
}

// values = factor * values + source_factor * source, the first product fused.
// Reads 8 bytes a value (source, value), writes 4.
extern "C" __global__ void __launch_bounds__(256) parameters_blend_f32(
    const float* source, float* values, float source_factor, float factor, i64 length, i64 head, i64 quads)
{
    i64 thread = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (thread < quads)
    {
        i64 at = head + 4 * thread;
        float s[4], v[4];
        load_vector(source + at, s);
        load_vector(values + at, v);
#pragma unroll
        for (int i = 0; i < 4; i++)
            v[i] = __fmaf_rn(factor, v[i], __fmul_rn(source_factor, s[i]));
        store_vector(values + at, v);
        return;
    }
    i64 at = scalar_index(thread, head, quads);
    if (at >= length)
        return;
    values[at] = __fmaf_rn(factor, values[at], __fmul_rn(source_factor, source[at]));
}

// packed[i] = values[indices[i]]: kept values come together.
// Reads 8 bytes a packed value (index, value), writes 4.
extern "C" __global__ void __launch_bounds__(256) parameters_pack_f32(
    const float* values, const int* indices, float* packed, int length)
{
    int i = (int)(blockIdx.x * blockDim.x + threadIdx.x);
    if (i < length)
        packed[i] = values[indices[i]];
}

// values[indices[i]] = packed[i]: they go back. No index comes twice.
// Reads 8 bytes a packed value (index, value), writes 4.
extern "C" __global__ void __launch_bounds__(256) parameters_unpack_f32(
    const float* packed, const int* indices, float* values, int length)
{
    int i = (int)(blockIdx.x * blockDim.x + threadIdx.x);
    if (i < length)
        values[indices[i]] = packed[i];
}

// Sums in double precision of what each block goes through: groups of four values, counted from the slice's beginning, in steps
// of the grid. Which value is added where depends on length and grid, not on the address; that only decides between one load of
// 16 bytes and four of 4.
// Reads 4 bytes a value, writes 8 bytes a block.
extern "C" __global__ void __launch_bounds__(256) parameters_sum_f32(
    const float* values, i64 length, int aligned, double* partials)
{
    __shared__ double scratch[32];
    double sums[4] = {0, 0, 0, 0};
    i64 quads = length >> 2, first = (i64)blockIdx.x * blockDim.x + threadIdx.x, step = (i64)gridDim.x * blockDim.x;
    for (i64 quad = first; quad < quads; quad += step)
    {
        const float* from = values + 4 * quad;
        float v[4];
        if (aligned)
        {
            load_vector(from, v);
        }
        else
        {
#pragma unroll
            for (int i = 0; i < 4; i++)
                v[i] = from[i];
        }
#pragma unroll
        for (int i = 0; i < 4; i++)
            sums[i] += (double)v[i];
    }
    if (first < (length & 3))
        sums[0] += (double)values[4 * quads + first];
    double sum = block_reduce<Add>((sums[0] + sums[1]) + (sums[2] + sums[3]), scratch);
    if (threadIdx.x == 0)
        partials[blockIdx.x] = sum;
}

// The sum of the blocks' sums. One block. Reads 8 bytes a block, writes 8.
extern "C" __global__ void __launch_bounds__(256) parameters_sum_total_f64(const double* partials, int blocks, double* result)
{
    __shared__ double scratch[32];
    double sum = 0;
    for (int i = (int)threadIdx.x; i < blocks; i += (int)blockDim.x)
        sum += partials[i];
    sum = block_reduce<Add>(sum, scratch);
    if (threadIdx.x == 0)
        result[0] = sum;
}
