// Losses of a batch of logits against labels, one warp a sample: the loss, whether the first largest logit is the label's, and
// the gradient of the logits. Sums over classes are taken in double precision, in an order that depends on the number of
// classes alone. Reads the logits (once, then from the first-level cache) and 4 bytes of label a sample; writes 8 bytes a sample
// and, where it is wanted, the gradient (once, padding channels as zeros). The gradient may take the logits' place.
// A lane takes one class at a time, not a vector of them: logits are few, and the time goes into exponentials one after another.
// A label outside [0, classes) touches no memory: its sample is wrong, its loss and gradient are NaN.
#include "common.cuh"

enum { warps_per_block = 4 };
enum : u32 { all_lanes = 0xffffffffu };

// Sum over a warp; every lane gets it.
__device__ __forceinline__ double sum_of_warp(double value)
{
#pragma unroll
    for (int distance = 16; distance > 0; distance >>= 1)
        value += __shfl_xor_sync(all_lanes, value, distance);
    return value;
}

// What the kernels of both losses know of a sample.
template <typename T>
struct Sample
{
    int lane, number, classes, physical_classes, label;
    const T* logits;
    T* gradient;
    bool valid;

    __device__ __forceinline__ Sample(const T* all, const int* labels, int class_count, int physical_count, T* gradients)
    {
        lane = threadIdx.x & 31;
        number = blockIdx.x * warps_per_block + (threadIdx.x >> 5);
        classes = class_count;
        physical_classes = physical_count;
        logits = all + (size_t)number * physical_count;
        gradient = gradients ? gradients + (size_t)number * physical_count : nullptr;
        label = labels[number];
        valid = (u32)label < (u32)class_count;
        if (!valid)
            label = 0;
    }

    // Calls visitor(class, logit) for each of this lane's classes, in order.
    template <typename Visitor> __device__ __forceinline__ void visit(Visitor visitor) const
    {
#pragma unroll 1
        for (int j = lane; j < classes; j += 32)
            visitor(j, to_float(logits[j]));
    }

    // Writes derivative(class, logit) for each of this lane's classes, and zeros beyond the last.
    template <typename Derivative> __device__ __forceinline__ void write(Derivative derivative) const
    {
#pragma unroll 1
        for (int j = lane; j < physical_classes; j += 32)
        {
            float value = 0;
            if (j < classes)
                value = valid ? derivative(j, to_float(logits[j])) : __uint_as_float(0x7fffffffu);
            gradient[j] = from_float<T>(value);
        }
    }

    // Whether no logit before the label's is as large and none after is larger; false with a NaN. The same for all lanes.
    __device__ __forceinline__ bool is_correct(float own) const
    {
        bool first = valid;
        visit([&](int j, float z) { first = first && (j < label ? z < own : z <= own); });
        return __all_sync(all_lanes, first);
    }

    // Lane 0 writes.
    __device__ __forceinline__ void finish(float loss, bool correct, float* losses, float* corrects) const
    {
        if (lane == 0)
        {
            losses[number] = valid ? loss : __uint_as_float(0x7fffffffu);
            corrects[number] = correct ? 1.0f : 0.0f;
        }
    }
};

// loss = log sum exp z - z_label.
template <typename T>
__device__ __forceinline__ void cross_entropy(
    const T* logits, const int* labels, int samples, int classes, int physical_classes, float* losses, float* corrects,
    T* gradients, float gradient_scale)
{
    if ((int)(blockIdx.x * warps_per_block + (threadIdx.x >> 5)) >= samples)
        return;
    Sample<T> sample(logits, labels, classes, physical_classes, gradients);
    float own = to_float(sample.logits[sample.label]), largest = own;
    sample.visit([&](int, float z) { largest = z > largest ? z : largest; });
#pragma unroll
    for (int distance = 16; distance > 0; distance >>= 1)
        largest = fmaxf(largest, __shfl_xor_sync(all_lanes, largest, distance));
    bool correct = sample.is_correct(own);

    double others = 0;
    sample.visit([&](int j, float z)
    {
        if (j != sample.label)
            others += exp((double)z - largest);
    });
    others = sum_of_warp(others);
    double sum = exp((double)own - largest) + others;
    sample.finish((float)(log(sum) + ((double)largest - own)), correct, losses, corrects);
    if (!sample.gradient)
        return;
    sample.write([&](int j, float z)
    {
        double derivative = j == sample.label ? -others : exp((double)z - largest);
        return (float)(gradient_scale * (derivative / sum));
    });
}

// loss = -max(z_label - max of the others + 50, 0): Carlini and Wagner's margin as Madry et al. attack with it. The rival is the
// first largest of the others; a NaN is the largest only as the first of them.
template <typename T>
__device__ __forceinline__ void carlini_wagner(
    const T* logits, const int* labels, int samples, int classes, int physical_classes, float* losses, float* corrects,
    T* gradients, float gradient_scale)
{
    constexpr float confidence = 50;
    if ((int)(blockIdx.x * warps_per_block + (threadIdx.x >> 5)) >= samples)
        return;
    Sample<T> sample(logits, labels, classes, physical_classes, gradients);
    float own = to_float(sample.logits[sample.label]);
    int first = sample.label == 0 ? 1 : 0, rival = 0x7fffffff;
    float largest = __uint_as_float(0xff800000u), start = to_float(sample.logits[first]);
    sample.visit([&](int j, float z)
    {
        if (j != sample.label && (z > largest || (z == largest && j < rival)))
        {
            largest = z;
            rival = j;
        }
    });
#pragma unroll
    for (int distance = 16; distance > 0; distance >>= 1)
    {
        float other = __shfl_xor_sync(all_lanes, largest, distance);
        int index = __shfl_xor_sync(all_lanes, rival, distance);
        if (other > largest || (other == largest && index < rival))
        {
            largest = other;
            rival = index;
        }
    }
    if (start != start)
    {
        largest = start;
        rival = first;
    }
    bool correct = sample.is_correct(own);

    // The negation lets NaN through.
    float margin = own - largest + confidence;
    bool active = !(margin <= 0);
    sample.finish(active ? -margin : 0, correct, losses, corrects);
    if (!sample.gradient)
        return;
    sample.write([&](int j, float)
    {
        return !active ? 0 : j == sample.label ? -gradient_scale : j == rival ? gradient_scale : 0;
    });
}

__device__ __forceinline__ float largest_of_warp(float value)
{
#pragma unroll
    for (int distance = 16; distance > 0; distance >>= 1)
        value = fmaxf(value, __shfl_xor_sync(all_lanes, value, distance));
    return value;
}

// log sum exp of a sample's logits; every lane gets it.
template <typename T> __device__ __forceinline__ double log_sum(const T* logits, int lane, int classes)
{
    float largest = __uint_as_float(0xff800000u);
#pragma unroll 1
    for (int j = lane; j < classes; j += 32)
        largest = fmaxf(largest, to_float(logits[j]));
    largest = largest_of_warp(largest);
    double sum = 0;
#pragma unroll 1
    for (int j = lane; j < classes; j += 32)
        sum += exp((double)to_float(logits[j]) - largest);
    return log(sum_of_warp(sum)) + largest;
}

// divergence = sum p (log p - log q) with p = softmax(reference), q = softmax(logits), one warp a sample. Writes scale (q - p) as
// the gradient and adds scale p (log p - log q - divergence) to the reference's, where they are wanted.
// Reads both logits (from memory once), writes 4 bytes a sample and the gradients.
template <typename T>
__device__ __forceinline__ void divergence(
    const T* references, const T* logits, int samples, int classes, int physical_classes, float* divergences,
    T* reference_gradients, T* gradients, float gradient_scale)
{
    int lane = threadIdx.x & 31, number = blockIdx.x * warps_per_block + (threadIdx.x >> 5);
    if (number >= samples)
        return;
    size_t first = (size_t)number * physical_classes;
    const T *a = references + first, *b = logits + first;
    double norm_a = log_sum(a, lane, classes), norm_b = log_sum(b, lane, classes), sum = 0;
#pragma unroll 1
    for (int j = lane; j < classes; j += 32)
    {
        double log_p = (double)to_float(a[j]) - norm_a, log_q = (double)to_float(b[j]) - norm_b;
        sum += exp(log_p) * (log_p - log_q);
    }
    sum = sum_of_warp(sum);
    if (lane == 0)
        divergences[number] = (float)sum;
    // One loop a gradient: together they hold more doubles across the exponentials than there are registers for.
    if (gradients)
    {
#pragma unroll 1
        for (int j = lane; j < physical_classes; j += 32)
        {
            double slope = j < classes ? exp((double)to_float(b[j]) - norm_b) : 0;
            if (j < classes)
                slope = gradient_scale * (slope - exp((double)to_float(a[j]) - norm_a));
            gradients[first + j] = from_float<T>((float)slope);
        }
    }
    if (reference_gradients)
    {
#pragma unroll 1
        for (int j = lane; j < classes; j += 32)
        {
            double log_p = (double)to_float(a[j]) - norm_a, log_q = (double)to_float(b[j]) - norm_b;
            double slope = gradient_scale * (exp(log_p) * (log_p - log_q - sum));
            reference_gradients[first + j] = from_float<T>(to_float(reference_gradients[first + j]) + (float)slope);
        }
    }
}

#define LOSS_KERNELS(suffix, T)                                                                                               \
    extern "C" __global__ void __launch_bounds__(32 * warps_per_block) cross_entropy_##suffix(                                \
        const T* logits, const int* labels, int samples, int classes, int physical_classes, float* losses, float* corrects,   \
        T* gradients, float gradient_scale)                                                                                   \
    {                                                                                                                         \
        cross_entropy(logits, labels, samples, classes, physical_classes, losses, corrects, gradients, gradient_scale);       \
    }                                                                                                                         \
    extern "C" __global__ void __launch_bounds__(32 * warps_per_block) carlini_wagner_##suffix(                               \
        const T* logits, const int* labels, int samples, int classes, int physical_classes, float* losses, float* corrects,   \
        T* gradients, float gradient_scale)                                                                                   \
    {                                                                                                                         \
        carlini_wagner(logits, labels, samples, classes, physical_classes, losses, corrects, gradients, gradient_scale);      \
    }                                                                                                                         \
    extern "C" __global__ void __launch_bounds__(32 * warps_per_block) divergence_##suffix(                                   \
        const T* references, const T* logits, int samples, int classes, int physical_classes, float* divergences,             \
        T* reference_gradients, T* gradients, float gradient_scale)                                                           \
    {                                                                                                                         \
        divergence(references, logits, samples, classes, physical_classes, divergences, reference_gradients, gradients,       \
            gradient_scale);                                                                                                  \
    }

LOSS_KERNELS(f32, float)
LOSS_KERNELS(bf16, bf16)
