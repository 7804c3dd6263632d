// All kernels as one library, and the table of them. `headers.inc` includes what families share,
// `families.inc` each family's source in a namespace of its own, `kernels.inc` is a line KERNEL(family, name) for each kernel;
// the test that builds this writes all three.
#include "cuda_host.h"
#include "launches.h"
#include "headers.inc"
#include "families.inc"

extern "C" const host::Kernel* host_kernels()
{
#define KERNEL(family, name) {#name, host::Call<&family::name>::run, host::Call<&family::name>::parameters},
    static const host::Kernel all[] = {
#include "kernels.inc"
        {nullptr, nullptr, 0}};
    return all;
}
