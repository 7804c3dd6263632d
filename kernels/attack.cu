// Attacks within an L-infinity ball. Images and their gradients are float32, NHWC, padded to four channels, in every precision.
#include "common.cuh"

// Philox4x32-10 (Salmon et al., 2011), as in Tensors/Philox.cs.
__device__ __forceinline__ uint4 philox(u32 k0, u32 k1, u32 c0, u32 c1, u32 c2, u32 c3)
{
#pragma unroll
    for (int round = 0; round < 10; round++)
    {
        u32 high0 = __umulhi(0xD2511F53u, c0), low0 = 0xD2511F53u * c0;
        u32 high1 = __umulhi(0xCD9E8D57u, c2), low1 = 0xCD9E8D57u * c2;
        c0 = high1 ^ c1 ^ k0;
        c1 = low1;
        c2 = high0 ^ c3 ^ k1;
        c3 = low0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return make_uint4(c0, c1, c2, c3);
}

// The smallest and the largest float32 in [0, 1] whose difference from a pixel of [0, 1] is at most epsilon, unrounded
// (Backends/PixelBall.cs). The inner differences are exact, rounding the outer ones keeps their sign.
__device__ __forceinline__ void ball(float clean, float epsilon, float& low, float& high)
{
    low = __fsub_rn(clean, epsilon);
    if (__fsub_rn(__fsub_rn(clean, low), epsilon) > 0.0f)
        low = __uint_as_float(__float_as_uint(low) + 1u);
    low = low > 0.0f ? low : 0.0f;
    high = __fadd_rn(clean, epsilon);
    float larger = clean > epsilon ? clean : epsilon, smaller = clean > epsilon ? epsilon : clean;
    if (__fsub_rn(__fsub_rn(high, larger), smaller) > 0.0f)
        high = __uint_as_float(__float_as_uint(high) - 1u);
    high = high > 1.0f ? 1.0f : high;
}

// |after - before| rounded up, of pixels in [0, 1].
__device__ __forceinline__ float distance(float before, float after)
{
    float larger = before > after ? before : after, smaller = before > after ? after : before;
    float rounded = fabsf(__fsub_rn(after, before));
    return __fsub_rn(__fsub_rn(larger, rounded), smaller) > 0.0f ? __uint_as_float(__float_as_uint(rounded) + 1u) : rounded;
}

// clean + epsilon * (2u - 1) clamped to the ball, each operation rounded and none fused.
__device__ __forceinline__ float start(float clean, u32 word, float epsilon)
{
    float uniform = __fmul_rn((float)(word >> 8), 1.0f / 16777216.0f);
    float offset = __fmul_rn(epsilon, __fsub_rn(__fmul_rn(2.0f, uniform), 1.0f));
    float value = __fadd_rn(clean, offset), low, high;
    ball(clean, epsilon, low, high);
    value = value < low ? low : value;
    return value > high ? high : value;
}

// adversarial = a random point of the ball around clean. Logical value e = channel * pixels + pixel of a sample takes word e % 4
// of the counter (e / 4, sample's identity, epoch, restart). A thread makes four consecutive pixels of a sample, so that it uses
// all four words of a counter: block (groups of four pixels, samples).
// Reads clean, 16 bytes a pixel with up to four channels, and the identities; writes adversarial, as much.
extern "C" __global__ void __launch_bounds__(256) attack_random_start_f32(
    const float* clean, const u32* identities, float epsilon, u32 key_low, u32 key_high, u32 epoch, u32 restart,
    float* adversarial, int batch, int channels, int physical_channels, int pixels)
{
    int pixel = (int)(blockIdx.x * blockDim.x + threadIdx.x) * 4;
    if (pixel >= pixels)
        return;
    int count = pixels - pixel < 4 ? pixels - pixel : 4;
    for (i64 sample = (i64)blockIdx.y * blockDim.y + threadIdx.y; sample < batch; sample += (i64)gridDim.y * blockDim.y)
    {
        u32 identity = identities[sample];
        i64 first = (sample * pixels + pixel) * physical_channels;
        for (int channel = 0; channel < physical_channels; channel += 4)
        {
            float values[4][4] = {}; // pixel, channel
#pragma unroll
            for (int p = 0; p < 4; p++)
            {
                if (p < count)
                    load_vector(clean + first + (i64)p * physical_channels + channel, values[p]);
            }
#pragma unroll
            for (int c = 0; c < 4; c++)
            {
                if (channel + c >= channels)
                    continue;
                u32 element = (u32)(channel + c) * (u32)pixels + (u32)pixel;
                uint4 words = philox(key_low, key_high, element >> 2, identity, epoch, restart);
                u32 shift = element & 3u; // 0 in every channel where the pixels are a multiple of 4
                if (shift != 0)
                {
                    uint4 next = philox(key_low, key_high, (element >> 2) + 1u, identity, epoch, restart);
                    if (shift & 1u)
                    {
                        words = make_uint4(words.y, words.z, words.w, next.x);
                        next = make_uint4(next.y, next.z, next.w, 0u);
                    }
                    if (shift & 2u)
                        words = make_uint4(words.z, words.w, next.x, next.y);
                }
                values[0][c] = start(values[0][c], words.x, epsilon);
                values[1][c] = start(values[1][c], words.y, epsilon);
                values[2][c] = start(values[2][c], words.z, epsilon);
                values[3][c] = start(values[3][c], words.w, epsilon);
            }
#pragma unroll
            for (int p = 0; p < 4; p++)
            {
                if (p < count)
                    store_vector(adversarial + first + (i64)p * physical_channels + channel, values[p]);
            }
        }
    }
}

// Two independent standard normal numbers of two words (Box and Muller).
__device__ __forceinline__ void normal(u32 first, u32 second, float& even, float& odd)
{
    float radius = sqrtf(-2.0f * logf(((float)first + 0.5f) * (1.0f / 4294967296.0f)));
    float sine, cosine;
    sincospif(((float)second + 0.5f) * (2.0f / 4294967296.0f), &sine, &cosine);
    even = radius * cosine;
    odd = radius * sine;
}

// adversarial = clean + deviation * a standard normal number, not clamped. A thread takes one counter and so four consecutive
// logical values of a sample, e = channel * pixels + pixel: block (groups of four values, samples). The thread of a pixel's first
// channel writes the zeros of its padding.
// Reads 4 bytes a value (clean) and the identities, writes as much and the padding, in strides of a pixel; once a training step.
extern "C" __global__ void __launch_bounds__(256) attack_normal_start_f32(
    const float* clean, const u32* identities, float deviation, u32 key_low, u32 key_high, u32 epoch, u32 restart,
    float* adversarial, int batch, int channels, int physical_channels, int pixels)
{
    int draw = (int)(blockIdx.x * blockDim.x + threadIdx.x), length = channels * pixels;
    if (4 * draw >= length)
        return;
    for (i64 sample = (i64)blockIdx.y * blockDim.y + threadIdx.y; sample < batch; sample += (i64)gridDim.y * blockDim.y)
    {
        uint4 words = philox(key_low, key_high, (u32)draw, identities[sample], epoch, restart);
        float normals[4];
        normal(words.x, words.y, normals[0], normals[1]);
        normal(words.z, words.w, normals[2], normals[3]);
#pragma unroll
        for (int i = 0; i < 4; i++)
        {
            int element = 4 * draw + i;
            if (element >= length)
                continue;
            int channel = element / pixels, pixel = element - channel * pixels;
            i64 first = (sample * pixels + pixel) * physical_channels;
            adversarial[first + channel] = __fmaf_rn(deviation, normals[i], clean[first + channel]);
            if (channel == 0)
            {
                for (int padding = channels; padding < physical_channels; padding++)
                    adversarial[first + padding] = 0.0f;
            }
        }
    }
}

// adversarial = adversarial + step * sign(gradient) clamped to the ball, sign(0) = sign(NaN) = 0; a NaN in adversarial stays.
// Padding stays 0, being 0 in all three. A thread, a vector. Reads 48 bytes a vector (clean, gradient, adversarial), writes 16
// (adversarial).
extern "C" __global__ void __launch_bounds__(256) attack_step_f32(
    const float* clean, const float* gradient, float epsilon, float step, float* adversarial, i64 vectors)
{
    i64 vector = (i64)blockIdx.x * blockDim.x + threadIdx.x;
    if (vector >= vectors)
        return;
    float centres[4], slopes[4], values[4];
    load_vector(clean + 4 * vector, centres);
    load_vector(gradient + 4 * vector, slopes);
    load_vector(adversarial + 4 * vector, values);
#pragma unroll
    for (int i = 0; i < 4; i++)
    {
        float low, high;
        ball(centres[i], epsilon, low, high);
        float move = slopes[i] > 0.0f ? step : slopes[i] < 0.0f ? -step : 0.0f;
        float value = __fadd_rn(values[i], move);
        value = value < low ? low : value;
        values[i] = value > high ? high : value;
    }
    store_vector(adversarial + 4 * vector, values);
}

// Where a candidate's loss is larger, it and its loss replace the best; that of a misclassified candidate (correct, unless null,
// is 0) counts as infinite. A block, a sample, so that no loss is written before every thread that asks for it has read it.
// Reads 8 bytes a sample, and 4 of correct; for each sample that is replaced reads the candidate and writes the best.
extern "C" __global__ void __launch_bounds__(256) attack_keep_worst_f32(
    const float* candidate, const float* candidate_losses, float* best, float* best_losses, const float* correct,
    i64 vectors_per_sample)
{
    i64 sample = blockIdx.x;
    float loss = candidate_losses[sample];
    if (correct != nullptr && correct[sample] == 0.0f)
        loss = __uint_as_float(0x7f800000u);
    bool worse = loss > best_losses[sample];
    __syncthreads();
    if (!worse)
        return;
    if (threadIdx.x == 0)
        best_losses[sample] = loss;
    const float4* from = (const float4*)candidate + sample * vectors_per_sample;
    float4* to = (float4*)best + sample * vectors_per_sample;
    for (i64 i = threadIdx.x; i < vectors_per_sample; i += blockDim.x)
        to[i] = from[i];
}

__device__ __forceinline__ void reduce_extents(
    float perturbation, float smallest, float largest, float* results, i64 stride)
{
    __shared__ float scratch[3][32];
    perturbation = block_reduce<Maximum>(perturbation, scratch[0]);
    smallest = block_reduce<Minimum>(smallest, scratch[1]);
    largest = block_reduce<Maximum>(largest, scratch[2]);
    if (threadIdx.x == 0)
    {
        results[0] = perturbation;
        results[stride] = smallest;
        results[2 * stride] = largest;
    }
}

// Largest |adversarial - clean| rounded up, smallest and largest adversarial value of what each block goes through; NaN wins. The
// three lists of partial results follow each other in `partials`. Padding takes no part.
// Reads 32 bytes a vector, writes 12 bytes a block.
extern "C" __global__ void __launch_bounds__(256) attack_measure_f32(
    const float* clean, const float* adversarial, int channels, int physical_channels, i64 pixels, float* partials)
{
    float perturbation = 0.0f;
    float smallest = Minimum::identity<float>(), largest = Maximum::identity<float>();
    for (i64 pixel = (i64)blockIdx.x * blockDim.x + threadIdx.x; pixel < pixels; pixel += (i64)gridDim.x * blockDim.x)
    {
        for (int channel = 0; channel < channels; channel += 4)
        {
            float before[4], after[4];
            load_vector(clean + pixel * physical_channels + channel, before);
            load_vector(adversarial + pixel * physical_channels + channel, after);
#pragma unroll
            for (int i = 0; i < 4; i++)
            {
                if (channel + i >= channels)
                    continue;
                perturbation = Maximum::apply(perturbation, distance(before[i], after[i]));
                smallest = Minimum::apply(smallest, after[i]);
                largest = Maximum::apply(largest, after[i]);
            }
        }
    }
    reduce_extents(perturbation, smallest, largest, partials + blockIdx.x, gridDim.x);
}

// The three results of the blocks' partial results. One block. Reads 12 bytes a partial result, writes 12.
extern "C" __global__ void __launch_bounds__(256) attack_measure_total_f32(const float* partials, int blocks, float* results)
{
    float perturbation = 0.0f;
    float smallest = Minimum::identity<float>(), largest = Maximum::identity<float>();
    for (int i = (int)threadIdx.x; i < blocks; i += (int)blockDim.x)
    {
        perturbation = Maximum::apply(perturbation, partials[i]);
        smallest = Minimum::apply(smallest, partials[blocks + i]);
        largest = Maximum::apply(largest, partials[2 * blocks + i]);
    }
    reduce_extents(perturbation, smallest, largest, results, 1);
}
