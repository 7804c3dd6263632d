// Pooling over square windows without padding. Forward, a thread computes one vector of channels of one output pixel; backward,
// every gradient is gathered, so that nothing is added in an order that could change.
// The largest value is the first in row order among equals; with a NaN the maximum is NaN, and its gradient goes nowhere.
#include "activation.cuh"
#include "packed.cuh"

enum { pool_threads = 128 };

struct PoolGeometry
{
    int height, width, out_height, out_width, window, stride, vectors;
};

// A vector of a pixel of a batch of maps, from its number.
struct Place
{
    int vector, column, row, sample;

    __device__ __forceinline__ Place(u32 index, u32 vectors, u32 columns, u32 rows)
    {
        vector = index % vectors;
        index /= vectors;
        column = index % columns;
        index /= columns;
        row = index % rows;
        sample = index / rows;
    }
};

// Number of the vector at a pixel.
__device__ __forceinline__ size_t vector_at(int sample, int row, int column, int vector, int rows, int columns, int vectors)
{
    return (((size_t)sample * rows + row) * columns + column) * vectors + vector;
}

template <int length>
__device__ __forceinline__ void take_larger(float (&largest)[length], const float (&value)[length])
{
#pragma unroll
    for (int i = 0; i < length; i++)
        largest[i] = value[i] > largest[i] || value[i] != value[i] ? value[i] : largest[i];
}

// Reads each value of x that is in a window (once where windows do not overlap); writes y (once).
template <int fixed_window, typename T>
__device__ __forceinline__ void max_forward(const T* x, const PoolGeometry& pool, u32 count, T* y)
{
    constexpr int length = VectorOf<T>::length;
    u32 index = blockIdx.x * pool_threads + threadIdx.x;
    if (index >= count)
        return;
    Place at(index, pool.vectors, pool.out_width, pool.out_height);
    int window = fixed_window > 0 ? fixed_window : pool.window;
    const T* corner = x + length * vector_at(
        at.sample, at.row * pool.stride, at.column * pool.stride, at.vector, pool.height, pool.width, pool.vectors);
    float largest[length];
    load_vector(corner, largest);
#pragma unroll
    for (int v = 0; v < window; v++)
    {
#pragma unroll
        for (int u = 0; u < window; u++)
        {
            float value[length];
            load_vector(corner + ((size_t)v * pool.width + u) * pool.vectors * length, value);
            take_larger(largest, value);
        }
    }
    store_vector(y + (size_t)index * length, largest);
}

// Reads each value of x that is in a window (once: windows do not overlap); writes y (once).
template <typename T>
__device__ __forceinline__ void average_forward(const T* x, const PoolGeometry& pool, u32 count, T* y)
{
    constexpr int length = VectorOf<T>::length;
    u32 index = blockIdx.x * pool_threads + threadIdx.x;
    if (index >= count)
        return;
    Place at(index, pool.vectors, pool.out_width, pool.out_height);
    const T* corner = x + length * vector_at(
        at.sample, at.row * pool.stride, at.column * pool.stride, at.vector, pool.height, pool.width, pool.vectors);
    float sum[length] = {};
    for (int v = 0; v < pool.window; v++)
    {
        float line[length] = {};
#pragma unroll 4
        for (int u = 0; u < pool.window; u++)
        {
            float value[length];
            load_vector(corner + ((size_t)v * pool.width + u) * pool.vectors * length, value);
#pragma unroll
            for (int i = 0; i < length; i++)
                line[i] += value[i];
        }
#pragma unroll
        for (int i = 0; i < length; i++)
            sum[i] += line[i];
    }
    float divisor = (float)(pool.window * pool.window);
#pragma unroll
    for (int i = 0; i < length; i++)
        sum[i] /= divisor;
    store_vector(y + (size_t)index * length, sum);
}

// What a gradient goes back through; null where there is no activation.
template <typename T> struct Through
{
    const T* points;
    int activation;
    float slope;
};

// dx = (gradient + addend) * act'(through), at one vector. The gradient's terms come through `add`, after the
// addend, in the order of their windows. dx may be the addend.
template <typename T, typename Terms>
__device__ __forceinline__ void write_gradient(const T* addend, const Through<T>& through, T* dx, size_t vector, Terms add)
{
    constexpr int length = VectorOf<T>::length;
    float gradient[length] = {};
    if (addend)
        load_vector(addend + vector * length, gradient);
    add(gradient);
    if (through.points)
    {
        float points[length];
        load_vector(through.points + vector * length, points);
        differentiate(gradient, points, through.activation, through.slope);
    }
    store_vector(dx + vector * length, gradient);
}

// Maximum over windows of 2 with a stride of 2: a thread owns a cell of 2 x 2 input pixels, in the last row or column perhaps
// fewer and then no window. Reads x and dy and, where there are any, addend and through (once); writes dx (once).
template <typename T>
__device__ __forceinline__ void max_backward_fixed(
    const T* x, const T* dy, const T* addend, const Through<T>& through, const PoolGeometry& pool, int cell_rows,
    int cell_columns, u32 count, T* dx)
{
    constexpr int length = VectorOf<T>::length;
    u32 index = blockIdx.x * pool_threads + threadIdx.x;
    if (index >= count)
        return;
    Place at(index, pool.vectors, cell_columns, cell_rows);
    size_t places[4];
    places[0] = vector_at(at.sample, 2 * at.row, 2 * at.column, at.vector, pool.height, pool.width, pool.vectors);
    places[1] = places[0] + pool.vectors;
    places[2] = places[0] + (size_t)pool.width * pool.vectors;
    places[3] = places[2] + pool.vectors;
    if (at.row >= pool.out_height || at.column >= pool.out_width)
    {
#pragma unroll
        for (int k = 0; k < 4; k++)
        {
            if (2 * at.row + k / 2 < pool.height && 2 * at.column + k % 2 < pool.width)
                write_gradient(addend, through, dx, places[k], [](float (&)[length]) {});
        }
        return;
    }

    Packed values[4], summand[4] = {}, point[4] = {};
    float left[length], largest[length];
#pragma unroll
    for (int k = 0; k < 4; k++)
        values[k] = load_packed(x, places[k]);
    size_t from = vector_at(at.sample, at.row, at.column, at.vector, pool.out_height, pool.out_width, pool.vectors);
    load_vector(dy + from * length, left);
    if (addend)
    {
#pragma unroll
        for (int k = 0; k < 4; k++)
            summand[k] = load_packed(addend, places[k]);
    }
    if (through.points)
    {
#pragma unroll
        for (int k = 0; k < 4; k++)
            point[k] = load_packed(through.points, places[k]);
    }
    unpack(values[0], largest);
#pragma unroll
    for (int k = 1; k < 4; k++)
    {
        float value[length];
        unpack(values[k], value);
        take_larger(largest, value);
    }
#pragma unroll
    for (int k = 0; k < 4; k++)
    {
        float value[length], gradient[length], points[length];
        unpack(values[k], value);
        unpack(summand[k], gradient);
        unpack(point[k], points);
#pragma unroll
        for (int i = 0; i < length; i++)
        {
            bool first = value[i] == largest[i];
            gradient[i] += first ? left[i] : 0;
            left[i] = first ? 0 : left[i];
        }
        if (through.points)
            differentiate(gradient, points, through.activation, through.slope);
        store_vector(dx + places[k] * length, gradient);
    }
}

// Maximum over windows that do not overlap (stride >= window): a thread owns a cell of stride x stride input pixels, at most
// one window, and no other thread writes there. Reads x, y and dy and, where there are any, addend and through (once);
// writes dx (once).
template <typename T>
__device__ __forceinline__ void max_backward_cells(
    const T* x, const T* y, const T* dy, const T* addend, const Through<T>& through, const PoolGeometry& pool, int cell_rows,
    int cell_columns, u32 count, T* dx)
{
    constexpr int length = VectorOf<T>::length;
    u32 index = blockIdx.x * pool_threads + threadIdx.x;
    if (index >= count)
        return;
    Place at(index, pool.vectors, cell_columns, cell_rows);
    bool pooled = at.row < pool.out_height && at.column < pool.out_width;
    float largest[length] = {}, left[length] = {};
    if (pooled)
    {
        size_t from = vector_at(at.sample, at.row, at.column, at.vector, pool.out_height, pool.out_width, pool.vectors);
        load_vector(y + from * length, largest);
        load_vector(dy + from * length, left);
    }
    for (int v = 0; v < pool.stride; v++)
    {
        for (int u = 0; u < pool.stride; u++)
        {
            int row = at.row * pool.stride + v, column = at.column * pool.stride + u;
            if (row >= pool.height || column >= pool.width)
                continue;
            size_t vector = vector_at(at.sample, row, column, at.vector, pool.height, pool.width, pool.vectors);
            bool inside = pooled && v < pool.window && u < pool.window;
            write_gradient(addend, through, dx, vector, [&](float (&gradient)[length])
            {
                if (!inside)
                    return;
                float value[length];
                load_vector(x + vector * length, value);
#pragma unroll
                for (int i = 0; i < length; i++)
                {
                    bool first = value[i] == largest[i];
                    gradient[i] += first ? left[i] : 0;
                    left[i] = first ? 0 : left[i];
                }
            });
        }
    }
}

// Maximum over windows that overlap (stride < window): a thread owns one vector of dx and visits the windows over it in row
// order. Reads x up to window^4 / stride^2 times and y and dy up to window^2 / stride^2 times each, mostly from the caches, and
// addend and through (once); writes dx (once).
template <typename T>
__device__ __forceinline__ void max_backward_overlap(
    const T* x, const T* y, const T* dy, const T* addend, const Through<T>& through, const PoolGeometry& pool, u32 count, T* dx)
{
    constexpr int length = VectorOf<T>::length;
    u32 index = blockIdx.x * pool_threads + threadIdx.x;
    if (index >= count)
        return;
    Place at(index, pool.vectors, pool.width, pool.height);
    int first_row = max(0, (at.row - pool.window + pool.stride) / pool.stride);
    int last_row = min(pool.out_height - 1, at.row / pool.stride);
    int first_column = max(0, (at.column - pool.window + pool.stride) / pool.stride);
    int last_column = min(pool.out_width - 1, at.column / pool.stride);
    float own[length];
    load_vector(x + (size_t)index * length, own);
    write_gradient(addend, through, dx, index, [&](float (&gradient)[length])
    {
        for (int out_row = first_row; out_row <= last_row; out_row++)
        {
            for (int out_column = first_column; out_column <= last_column; out_column++)
            {
                size_t from = vector_at(at.sample, out_row, out_column, at.vector, pool.out_height, pool.out_width, pool.vectors);
                float largest[length], slope[length];
                load_vector(y + from * length, largest);
                load_vector(dy + from * length, slope);
                bool mine[length];
#pragma unroll
                for (int i = 0; i < length; i++)
                    mine[i] = own[i] == largest[i];

                // An equal value that comes before takes the gradient.
                int column = out_column * pool.stride, before =
                    (at.row - out_row * pool.stride) * pool.window + at.column - column;
                const T* corner = x + length * vector_at(
                    at.sample, out_row * pool.stride, column, at.vector, pool.height, pool.width, pool.vectors);
                int v = 0, u = 0;
                for (int i = 0; i < before; i++)
                {
                    float other[length];
                    load_vector(corner + ((size_t)v * pool.width + u) * pool.vectors * length, other);
#pragma unroll
                    for (int j = 0; j < length; j++)
                        mine[j] = mine[j] && other[j] != largest[j];
                    if (++u == pool.window)
                    {
                        u = 0;
                        v++;
                    }
                }
#pragma unroll
                for (int i = 0; i < length; i++)
                    gradient[i] += mine[i] ? slope[i] : 0;
            }
        }
    });
}

// Mean over windows that do not overlap: a thread owns one vector of dx. Reads dy (once, then window^2 - 1 times from the
// caches) and, where there are any, addend and through (once); writes dx (once).
template <typename T>
__device__ __forceinline__ void average_backward(
    const T* dy, const T* addend, const Through<T>& through, const PoolGeometry& pool, u32 count, T* dx)
{
    constexpr int length = VectorOf<T>::length;
    u32 index = blockIdx.x * pool_threads + threadIdx.x;
    if (index >= count)
        return;
    Place at(index, pool.vectors, pool.width, pool.height);
    int out_row = at.row / pool.stride, out_column = at.column / pool.stride;
    bool inside = out_row < pool.out_height && out_column < pool.out_width && at.row - out_row * pool.stride < pool.window
        && at.column - out_column * pool.stride < pool.window;
    write_gradient(addend, through, dx, index, [&](float (&gradient)[length])
    {
        if (!inside)
            return;
        float share[length], divisor = (float)(pool.window * pool.window);
        size_t from = vector_at(at.sample, out_row, out_column, at.vector, pool.out_height, pool.out_width, pool.vectors);
        load_vector(dy + from * length, share);
#pragma unroll
        for (int i = 0; i < length; i++)
            gradient[i] += share[i] / divisor;
    });
}

// fixed is a window of 2 with a stride of 2; any is every other.
#define POOLING_KERNELS(suffix, T)                                                                                            \
    extern "C" __global__ void __launch_bounds__(pool_threads) max_pool_fixed_##suffix(                                       \
        const T* x, int height, int width, int out_height, int out_width, int window, int stride, int vectors, u32 count,     \
        T* y)                                                                                                                 \
    {                                                                                                                         \
        max_forward<2>(x, {height, width, out_height, out_width, window, stride, vectors}, count, y);                         \
    }                                                                                                                         \
    extern "C" __global__ void __launch_bounds__(pool_threads) max_pool_any_##suffix(                                         \
        const T* x, int height, int width, int out_height, int out_width, int window, int stride, int vectors, u32 count,     \
        T* y)                                                                                                                 \
    {                                                                                                                         \
        max_forward<0>(x, {height, width, out_height, out_width, window, stride, vectors}, count, y);                         \
    }                                                                                                                         \
    extern "C" __global__ void __launch_bounds__(pool_threads) average_pool_##suffix(                                         \
        const T* x, int height, int width, int out_height, int out_width, int window, int stride, int vectors, u32 count,     \
        T* y)                                                                                                                 \
    {                                                                                                                         \
        average_forward(x, {height, width, out_height, out_width, window, stride, vectors}, count, y);                        \
    }                                                                                                                         \
    extern "C" __global__ void __launch_bounds__(pool_threads) max_pool_backward_fixed_##suffix(                              \
        const T* x, const T* dy, const T* addend, const T* through, int activation, float slope, int height, int width,       \
        int out_height, int out_width, int window, int stride, int vectors, int cell_rows, int cell_columns, u32 count,       \
        T* dx)                                                                                                                \
    {                                                                                                                         \
        max_backward_fixed(                                                                                                   \
            x, dy, addend, {through, activation, slope}, {height, width, out_height, out_width, window, stride, vectors},     \
            cell_rows, cell_columns, count, dx);                                                                              \
    }                                                                                                                         \
    extern "C" __global__ void __launch_bounds__(pool_threads) max_pool_backward_cells_##suffix(                              \
        const T* x, const T* y, const T* dy, const T* addend, const T* through, int activation, float slope, int height,      \
        int width, int out_height, int out_width, int window, int stride, int vectors, int cell_rows, int cell_columns,       \
        u32 count, T* dx)                                                                                                     \
    {                                                                                                                         \
        max_backward_cells(                                                                                                   \
            x, y, dy, addend, {through, activation, slope}, {height, width, out_height, out_width, window, stride, vectors},  \
            cell_rows, cell_columns, count, dx);                                                                              \
    }                                                                                                                         \
    extern "C" __global__ void __launch_bounds__(pool_threads) max_pool_backward_overlap_##suffix(                            \
        const T* x, const T* y, const T* dy, const T* addend, const T* through, int activation, float slope, int height,      \
        int width, int out_height, int out_width, int window, int stride, int vectors, u32 count, T* dx)                      \
    {                                                                                                                         \
        max_backward_overlap(                                                                                                 \
            x, y, dy, addend, {through, activation, slope}, {height, width, out_height, out_width, window, stride, vectors},  \
            count, dx);                                                                                                       \
    }                                                                                                                         \
    extern "C" __global__ void __launch_bounds__(pool_threads) average_pool_backward_##suffix(                                \
        const T* dy, const T* addend, const T* through, int activation, float slope, int height, int width, int out_height,   \
        int out_width, int window, int stride, int vectors, u32 count, T* dx)                                                 \
    {                                                                                                                         \
        average_backward(                                                                                                     \
            dy, addend, {through, activation, slope}, {height, width, out_height, out_width, window, stride, vectors}, count, \
            dx);                                                                                                              \
    }

POOLING_KERNELS(f32, float)
POOLING_KERNELS(bf16, bf16)
