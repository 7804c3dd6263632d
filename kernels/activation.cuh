// Activations and their derivatives, numbered as in Backends/Activation.cs. The function is the same for a whole launch, so
// that a warp never divides. NaN passes.
#pragma once
#include "common.cuh"

enum
{
    activation_none = 0,
    activation_relu = 1,
    activation_leaky_relu = 2,
    activation_silu = 3
};

// Below -87, exp(-x) would soon be infinite; there, SiLU's derivative is zero but for 1e-35.
__device__ __forceinline__ float silu_derivative(float x)
{
    x = x < -87.0f ? -87.0f : x;
    float e = expf(-x), s = __fdiv_rn(1.0f, __fadd_rn(1.0f, e));
    return __fmul_rn(s, __fmaf_rn(x, __fmul_rn(e, s), 1.0f));
}

// values = activation(values)
template <int count>
__device__ __forceinline__ void activate(float (&values)[count], int activation, float slope)
{
    if (activation == activation_relu)
    {
#pragma unroll
        for (int i = 0; i < count; i++)
            values[i] = values[i] < 0.0f ? 0.0f : values[i];
    }
    else if (activation == activation_leaky_relu)
    {
#pragma unroll
        for (int i = 0; i < count; i++)
            values[i] = values[i] < 0.0f ? __fmul_rn(values[i], slope) : values[i];
    }
    else if (activation == activation_silu)
    {
#pragma unroll
        for (int i = 0; i < count; i++)
            values[i] = __fdiv_rn(values[i], __fadd_rn(1.0f, expf(-values[i])));
    }
}

// gradients = gradients * activation'(through); `through` is the input of SiLU and the output of the others.
template <int count>
__device__ __forceinline__ void differentiate(
    float (&gradients)[count], const float (&through)[count], int activation, float slope)
{
    if (activation == activation_silu)
    {
#pragma unroll
        for (int i = 0; i < count; i++)
            gradients[i] = __fmul_rn(gradients[i], silu_derivative(through[i]));
        return;
    }
#pragma unroll
    for (int i = 0; i < count; i++)
    {
        float shut = activation == activation_leaky_relu ? __fmul_rn(gradients[i], slope) : 0.0f;
        gradients[i] = through[i] > 0.0f ? gradients[i] : shut;
    }
}
