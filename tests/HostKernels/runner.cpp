// Runs recorded launches of kernels with threads of the operating system, two blocks at a time.
//
//     runner LIBRARY COPY LAUNCHES RESULTS [KERNEL]
//
// LIBRARY and COPY are two files with the same kernels: what is static in one belongs to the block that runs there. LAUNCHES is
// little-endian:
// u32 launches, and for each
//     u32 length, the kernel's name
//     u32 grid x, y, z, block x, y, z
//     u32 arrays, and for each u64 bytes, the values before the launch
//     u32 pointers in arrays, and for each u32 array, u64 offset, u32 array that it points into, u64 offset there
//     u32 parameters, and for each u32 array (or 2^32 - 1 for a value), u64 value or offset within the array
// RESULTS gets the arrays' values after each launch, one behind the other. KERNEL runs without its barriers: a planted defect.
#include "cuda_host.h"
#include "launches.h"
#include <cstring>
#include <dlfcn.h>
#include <string>
#include <thread>
#include <vector>

thread_local host::Thread host::current;

namespace
{
constexpr unsigned groups = 2, threads_of_group = 256, no_array = 0xffffffffu;

struct Launch
{
    dim3 grid, size;
    std::vector<void*> parameters;
    const host::Kernel* kernels[groups];
    bool without_barriers;

    unsigned threads() const { return size.x * size.y * size.z; }
};

host::Block blocks[groups];
host::Barrier<true> start, end;
const Launch* running;

[[noreturn]] void fail(const std::string& why)
{
    std::fprintf(stderr, "%s\n", why.c_str());
    std::exit(2);
}

void run_blocks(unsigned group, unsigned number)
{
    const Launch& launch = *running;
    host::Thread& self = host::current;
    self.block = &blocks[group];
    self.number = number;
    self.block_size = launch.size;
    self.grid_size = launch.grid;
    self.thread_index = {
        number % launch.size.x, number / launch.size.x % launch.size.y, number / launch.size.x / launch.size.y};
    unsigned all = launch.grid.x * launch.grid.y * launch.grid.z;
    for (unsigned block = group; block < all; block += groups)
    {
        self.block_index = {
            block % launch.grid.x, block / launch.grid.x % launch.grid.y, block / launch.grid.x / launch.grid.y};
        launch.kernels[group]->call(launch.parameters.data());
        self.block->barrier.wait();
    }
}

void work(unsigned group, unsigned number)
{
    for (;;)
    {
        start.wait();
        if (running == nullptr)
            return;
        if (number < running->threads())
            run_blocks(group, number);
        end.wait();
    }
}

const host::Kernel* find(const host::Kernel* kernel, const std::string& name)
{
    for (; kernel->name != nullptr; kernel++)
    {
        if (name == kernel->name)
            return kernel;
    }
    fail("There is no kernel " + name + ".");
}

template <typename T> T read(FILE* file)
{
    T value;
    if (std::fread(&value, sizeof value, 1, file) != 1)
        fail("The file of launches is cut off.");
    return value;
}

dim3 read_dimensions(FILE* file)
{
    unsigned x = read<unsigned>(file), y = read<unsigned>(file), z = read<unsigned>(file);
    return {x, y, z};
}
} // namespace

int main(int count, char** arguments)
{
    if (count < 5)
        fail("runner LIBRARY COPY LAUNCHES RESULTS [KERNEL]");
    const host::Kernel* tables[groups];
    for (unsigned group = 0; group < groups; group++)
    {
        void* library = dlopen(arguments[1 + group], RTLD_NOW | RTLD_LOCAL);
        if (library == nullptr)
            fail(dlerror());
        tables[group] = ((const host::Kernel* (*)())dlsym(library, "host_kernels"))();
    }
    FILE* launches = std::fopen(arguments[3], "rb");
    FILE* results = std::fopen(arguments[4], "wb");
    if (launches == nullptr || results == nullptr)
        fail("A file cannot be opened.");
    std::string defective = count > 5 ? arguments[5] : "";
    start.expect(groups * threads_of_group + 1);
    end.expect(groups * threads_of_group + 1);
    std::vector<std::thread> workers;
    for (unsigned group = 0; group < groups; group++)
    {
        for (unsigned number = 0; number < threads_of_group; number++)
            workers.emplace_back(work, group, number);
    }
    for (unsigned left = read<unsigned>(launches); left > 0; left--)
    {
        std::string name(read<unsigned>(launches), ' ');
        if (std::fread(&name[0], 1, name.size(), launches) != name.size())
            fail("The file of launches is cut off.");
        Launch launch;
        launch.grid = read_dimensions(launches);
        launch.size = read_dimensions(launches);
        launch.without_barriers = name == defective;
        if (launch.threads() > threads_of_group)
            fail(name + ": too many threads.");
        for (unsigned group = 0; group < groups; group++)
            launch.kernels[group] = find(tables[group], name);
        std::vector<std::pair<unsigned char*, size_t>> arrays(read<unsigned>(launches));
        for (auto& array : arrays)
        {
            array.second = read<uint64_t>(launches);
            array.first = (unsigned char*)std::aligned_alloc(256, (array.second + 511) / 256 * 256);
            if (std::fread(array.first, 1, array.second, launches) != array.second)
                fail("The file of launches is cut off.");
        }
        // Pointers in memory, which afterwards are again what they were.
        std::vector<std::pair<unsigned char*, uint64_t>> pointers(read<unsigned>(launches));
        for (auto& pointer : pointers)
        {
            pointer.first = arrays.at(read<unsigned>(launches)).first;
            pointer.first += read<uint64_t>(launches);
            uint64_t target = (uint64_t)arrays.at(read<unsigned>(launches)).first;
            target += read<uint64_t>(launches);
            std::memcpy(&pointer.second, pointer.first, sizeof target);
            std::memcpy(pointer.first, &target, sizeof target);
        }
        std::vector<uint64_t> values(read<unsigned>(launches));
        if ((int)values.size() != launch.kernels[0]->parameters)
            fail(name + ": the number of parameters differs.");
        for (uint64_t& value : values)
        {
            unsigned array = read<unsigned>(launches);
            value = read<uint64_t>(launches);
            if (array != no_array)
                value += (uint64_t)arrays.at(array).first;
            launch.parameters.push_back(&value);
        }
        for (host::Block& block : blocks)
        {
            block.barrier.expect(launch.threads());
            block.without_barriers = launch.without_barriers;
            for (unsigned warp = 0; warp < 32; warp++)
            {
                unsigned first = warp * 32, threads = launch.threads();
                unsigned lanes = threads <= first ? 0 : threads - first < 32 ? threads - first : 32;
                block.warps[warp].lanes = lanes;
                block.warps[warp].barrier.expect(lanes);
                block.warps[warp].meeting.expect(lanes);
            }
        }
        running = &launch;
        start.wait();
        end.wait();
        for (auto& pointer : pointers)
            std::memcpy(pointer.first, &pointer.second, sizeof pointer.second);
        for (auto& array : arrays)
        {
            std::fwrite(array.first, 1, array.second, results);
            std::free(array.first);
        }
    }
    running = nullptr;
    start.wait();
    for (std::thread& worker : workers)
        worker.join();
    return std::fclose(results) == 0 ? 0 : 2;
}
