// How the runner finds kernels in the library of kernels.
#pragma once
#include <cstddef>
#include <utility>

namespace host
{
// A kernel: takes the address of each parameter's value.
struct Kernel
{
    const char* name;
    void (*call)(void* const* parameters);
    int parameters;
};

template <auto kernel> struct Call;

template <typename... A, void (*kernel)(A...)> struct Call<kernel>
{
    enum { parameters = sizeof...(A) };

    static void run(void* const* values) { run(values, std::index_sequence_for<A...>()); }

private:
    template <size_t... I> static void run(void* const* values, std::index_sequence<I...>)
    {
        kernel(*(A*)values[I]...);
    }
};
} // namespace host

// Ends with a kernel without name.
extern "C" const host::Kernel* host_kernels();
