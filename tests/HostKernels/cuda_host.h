// What the kernels in kernels/ need of CUDA, as C++ for the machine's own processor: a thread of a block is a thread of the
// operating system, so that ThreadSanitizer sees what the software device, which runs threads one after the other, cannot.
// Force-included before a family's source.
//
// Ordering is CUDA's and no more: __syncthreads and __syncwarp order memory, shuffles and votes exchange values and order nothing
// that ThreadSanitizer could see. Every thread of a warp that exists must take part in them.
#pragma once
#include <atomic>
#include <climits>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#define __global__
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(threads)
// Of a block, since every group of threads that runs blocks loads a copy of the library with the kernels.
#define __shared__ static

struct alignas(8) int2 { int x, y; };
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
struct alignas(16) double2 { double x, y; };
struct dim3 { unsigned x, y, z; };

inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
inline double2 make_double2(double x, double y) { return {x, y}; }

namespace host
{
// Threads wait for each other, asleep, since there are many more than processors. `orders`: what they did before is seen by all
// afterwards; otherwise only the machine knows it.
template <bool orders> class Barrier
{
public:
    void expect(unsigned threads) { count = threads; }

    void wait()
    {
        constexpr auto both = orders ? std::memory_order_acq_rel : std::memory_order_relaxed;
        constexpr auto after = orders ? std::memory_order_acquire : std::memory_order_relaxed;
        constexpr auto before = orders ? std::memory_order_release : std::memory_order_relaxed;
        unsigned now = generation.load(std::memory_order_relaxed);
        fence();
        if (arrived.fetch_add(1, both) + 1 == count)
        {
            arrived.store(0, std::memory_order_relaxed);
            fence();
            generation.fetch_add(1, before);
            syscall(SYS_futex, &generation, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
        }
        else
        {
            while (generation.load(after) == now)
                syscall(SYS_futex, &generation, FUTEX_WAIT_PRIVATE, now, nullptr, nullptr, 0);
        }
        fence();
    }

private:
    std::atomic<unsigned> arrived{0}, generation{0};
    unsigned count = 0;

    // For the machine alone: ThreadSanitizer does not know it.
    static void fence()
    {
#if defined(__x86_64__)
        asm volatile("mfence" ::: "memory");
#elif defined(__aarch64__)
        asm volatile("dmb ish" ::: "memory");
#else
#error "The kernels run as host code on x86-64 and Arm64 only."
#endif
    }
};

// Values of a warp's lanes on their way. Two lots in turn: nobody is two exchanges ahead.
struct Warp
{
    Barrier<false> meeting;
    Barrier<true> barrier;
    std::atomic<uint64_t> values[2][32];
    unsigned lanes = 0;
};

struct Block
{
    Barrier<true> barrier;
    Warp warps[32];
    bool without_barriers = false; // A planted defect.
};

struct Thread
{
    dim3 thread_index, block_index, block_size, grid_size;
    Block* block;
    unsigned number, exchanges;

    Warp& warp() const { return block->warps[number >> 5]; }

    // Gives a value and waits; the warp's values stay until the exchange after the next.
    const std::atomic<uint64_t>* exchange(uint64_t value, unsigned members)
    {
        if (members != 0xffffffffu)
        {
            std::fputs("Only whole warps can exchange values.\n", stderr);
            std::abort();
        }
        std::atomic<uint64_t>* values = warp().values[exchanges++ & 1];
        values[number & 31].store(value, std::memory_order_relaxed);
        warp().meeting.wait();
        return values;
    }
};

extern thread_local Thread current;

template <typename To, typename From> inline To bits_as(From value)
{
    To result = {};
    std::memcpy(&result, &value, sizeof(From) < sizeof(To) ? sizeof(From) : sizeof(To));
    return result;
}

// The value of a lane; the thread's own if there is no such lane.
template <typename T> inline T from_lane(T value, unsigned lane, unsigned members)
{
    const std::atomic<uint64_t>* values = current.exchange(bits_as<uint64_t>(value), members);
    return lane < 32 && lane < current.warp().lanes ? bits_as<T>(values[lane].load(std::memory_order_relaxed)) : value;
}
} // namespace host

#define threadIdx (host::current.thread_index)
#define blockIdx (host::current.block_index)
#define blockDim (host::current.block_size)
#define gridDim (host::current.grid_size)

inline void __syncthreads()
{
    if (!host::current.block->without_barriers)
        host::current.block->barrier.wait();
}

inline void __syncwarp(unsigned = 0xffffffffu) { host::current.warp().barrier.wait(); }

template <typename T> inline T __shfl_down_sync(unsigned members, T value, unsigned distance)
{
    return host::from_lane(value, (host::current.number & 31) + distance, members);
}

template <typename T> inline T __shfl_up_sync(unsigned members, T value, unsigned distance)
{
    return host::from_lane(value, (host::current.number & 31) - distance, members);
}

template <typename T> inline T __shfl_xor_sync(unsigned members, T value, unsigned distance)
{
    return host::from_lane(value, (host::current.number & 31) ^ distance, members);
}

template <typename T> inline T __shfl_sync(unsigned members, T value, unsigned lane)
{
    return host::from_lane(value, lane & 31, members);
}

inline unsigned __ballot_sync(unsigned members, int predicate)
{
    const std::atomic<uint64_t>* values = host::current.exchange(predicate != 0, members);
    unsigned result = 0;
    for (unsigned lane = 0; lane < host::current.warp().lanes; lane++)
        result |= (unsigned)values[lane].load(std::memory_order_relaxed) << lane;
    return result;
}

inline int __any_sync(unsigned members, int predicate) { return __ballot_sync(members, predicate) != 0; }
inline int __all_sync(unsigned members, int predicate) { return __ballot_sync(members, predicate == 0) == 0; }

template <typename T> inline T atomicAdd(T* place, T value) { return __atomic_fetch_add(place, value, __ATOMIC_RELAXED); }

inline float __uint_as_float(unsigned bits) { return host::bits_as<float>(bits); }
inline unsigned __float_as_uint(float value) { return host::bits_as<unsigned>(value); }
inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)(((uint64_t)a * b) >> 32); }

inline unsigned __byte_perm(unsigned low, unsigned high, unsigned selector)
{
    uint64_t bytes = (uint64_t)high << 32 | low;
    unsigned result = 0;
    for (int i = 0; i < 4; i++)
        result |= (unsigned)(bytes >> (8 * (selector >> (4 * i) & 7)) & 0xff) << (8 * i);
    return result;
}

// Rounded one by one, whatever the compiler fuses elsewhere.
inline float __fmul_rn(float a, float b) { volatile float result = a * b; return result; }
inline float __fadd_rn(float a, float b) { volatile float result = a + b; return result; }
inline float __fsub_rn(float a, float b) { volatile float result = a - b; return result; }
inline float __fdiv_rn(float a, float b) { volatile float result = a / b; return result; }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline double __fma_rn(double a, double b, double c) { return std::fma(a, b, c); }

inline int min(int a, int b) { return a < b ? a : b; }
inline unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
inline long long min(long long a, long long b) { return a < b ? a : b; }
inline int max(int a, int b) { return a > b ? a : b; }
inline unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }
inline long long max(long long a, long long b) { return a > b ? a : b; }

inline void sincospif(float x, float* sine, float* cosine)
{
    const double pi = 3.14159265358979323846;
    *sine = (float)std::sin(pi * x);
    *cosine = (float)std::cos(pi * x);
}
