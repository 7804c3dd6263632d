using System.Runtime.InteropServices;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Cuda.Kernels;

namespace BoostingTicket.Engine.Cuda.Counting;

/// <summary>Bytes of device memory that a launch of an own kernel reads and writes, each once: what cannot come from a cache. A
/// test compares them with what the software device saw.</summary>
internal static unsafe class KernelTraffic
{
    private const int VectorBytes = 16;

    /// <summary>A launch's parameters, as <see cref="ICudaDriver.Launch"/> gets them.</summary>
    /// <param name="values">Where each parameter's value is.</param>
    /// <param name="memory">The bytes of device memory from an address on, as many as were put there in one go; null where no
    /// kernel with a list in memory is asked for.</param>
    internal readonly struct Parameters(void** values, Func<ulong, byte[]>? memory = null)
    {
        private readonly void** _values = values;
        private readonly Func<ulong, byte[]>? _memory = memory;

        /// <summary>A 32-bit number.</summary>
        public long this[int index] => *(int*)_values[index];

        /// <summary>A 64-bit number.</summary>
        public long Wide(int index) => *(long*)_values[index];

        /// <summary>1 for a pointer that is given, 0 for one that is absent.</summary>
        public long Has(int index) => *(ulong*)_values[index] != 0 ? 1 : 0;

        /// <summary>The list in device memory that a pointer points to.</summary>
        public ReadOnlySpan<T> List<T>(int index, int count)
            where T : unmanaged =>
            MemoryMarshal.Cast<byte, T>(_memory!(*(ulong*)_values[index]).AsSpan(0, count * sizeof(T)));
    }

    /// <summary>Bytes of a launch.</summary>
    /// <param name="kernel">Name.</param>
    /// <param name="grid">Its grid.</param>
    /// <param name="p">Its parameters.</param>
    /// <exception cref="ArgumentException">The kernel is not known here.</exception>
    public static long Bytes(string kernel, in LaunchGrid grid, Parameters p)
    {
        string family = kernel[..kernel.IndexOf('_', StringComparison.Ordinal)];
        long size = kernel.EndsWith("_bf16", StringComparison.Ordinal) ? 2 : 4;
        return family switch
        {
            "elementwise" => Elementwise(kernel, p, size),
            "norm" => Normalization(kernel, p, size),
            "max" or "average" => Pooling(kernel, p),
            "cross" or "carlini" => p[2] * ((((p[3] + (p[4] * p.Has(7))) * size)) + 12),
            // The gradient of the references is added to what is there.
            "divergence" => p[2] * ((((p[3] * (2 + (2 * p.Has(6)))) + (p[4] * p.Has(7))) * size) + 4),
            "attack" => Attack(kernel, grid, p),
            "data" => Data(kernel, p, size),
            "filters" => Filters(kernel, grid, p, size),
            "parameters" => OfParameters(kernel, grid, p),
            "channel" => ChannelSums(kernel, p, size),
            _ => throw Unknown(kernel),
        };
    }

    private static long Elementwise(string kernel, Parameters p, long to)
    {
        string[] words = kernel.Split('_');
        long from = words[2] == "bf16" ? 2 : 4;
        return words[1] switch
        {
            "forward" => (p.Wide(10) * ((p[8] * from) + (p[9] * to * (1 + p.Has(3))))) + (p[7] * 4 * (p.Has(1) + p.Has(2))),
            "scaled" => (p.Wide(10) * p[9] * to * (2 + p.Has(1) + p.Has(2) + p.Has(6))) + (p[8] * 4),
            "backward" => (p.Wide(10) * ((p[8] * from) + (p[9] * to * (1 + p.Has(2) + p.Has(3))))) + (p[7] * 4 * p.Has(1)),
            _ => throw Unknown(kernel),
        };
    }

    private static long Normalization(string kernel, Parameters p, long size)
    {
        const long Sums = 16, Forward = 3 * sizeof(float), Backward = 4 * sizeof(float);
        long length = VectorBytes / size;
        return kernel[..kernel.LastIndexOf('_')] switch
        {
            "norm_statistics" => (p[1] * p[2] * VectorBytes) + (Chunks(p[1], p[4]) * p[2] * length * Sums),
            "norm_forward" when kernel == "norm_forward_finish" =>
                (p[1] * p[5] * Sums) + (p[5] * Forward) + (p[4] * 4 * (4 + (2 * p.Has(9)) + (2 * p.Has(10)))),
            "norm_forward" => (p[5] * p[6] * VectorBytes * (2 + p.Has(1))) + (p[6] * length * Forward),
            "norm_gradient_sums" =>
                (p[3] * p[5] * VectorBytes * 2) + (p[4] * 4) + (Chunks(p[3], p[7]) * p[5] * length * Sums),
            "norm_backward" when kernel == "norm_backward_finish" =>
                (p[1] * p[4] * Sums) + (p[4] * Backward) + (p[3] * 4 * (3 + p.Has(8) + p.Has(9))),
            "norm_backward" => (p[7] * p[8] * VectorBytes * (3 + p.Has(2) + p.Has(3))) + (p[8] * length * Backward),
            "norm" when kernel == "norm_fold" => p[8] * 4 * (6 + p.Has(5)),
            _ => throw Unknown(kernel),
        };
    }

    private static long Pooling(string kernel, Parameters p)
    {
        string name = kernel[..kernel.LastIndexOf('_')];
        switch (name)
        {
            case "max_pool_fixed" or "max_pool_any" or "average_pool":
                return p[8] / (p[3] * p[4]) * VectorBytes * ((p[3] * p[4]) + (Seen(p[3], p[5], p[6]) * Seen(p[4], p[5], p[6])));
            case "max_pool_backward_fixed":
                long samples = p[15] / (p[13] * p[14]);
                return samples * VectorBytes * ((p[6] * p[7] * (2 + p.Has(2) + p.Has(3))) + (p[8] * p[9]));
            case "max_pool_backward_cells":
                samples = p[16] / (p[14] * p[15]);
                return samples * VectorBytes * ((p[7] * p[8] * (2 + p.Has(3) + p.Has(4))) + (2 * p[9] * p[10]));
            case "max_pool_backward_overlap":
                samples = p[14] / (p[7] * p[8]);
                return samples * VectorBytes * ((p[7] * p[8] * (2 + p.Has(3) + p.Has(4))) + (2 * p[9] * p[10]));
            case "average_pool_backward":
                samples = p[12] / (p[5] * p[6]);
                return samples * VectorBytes * ((p[5] * p[6] * (1 + p.Has(1) + p.Has(2))) + (p[7] * p[8]));
            default:
                throw Unknown(kernel);
        }
    }

    private static long Attack(string kernel, in LaunchGrid grid, Parameters p) => kernel switch
    {
        "attack_random_start_f32" => (2 * p[8] * p[10] * p[11] * 4) + (p[8] * 4),
        "attack_normal_start_f32" => (p[8] * (p[9] + p[10]) * p[11] * 4) + (p[8] * 4),
        "attack_step_f32" => p.Wide(5) * 4 * VectorBytes,
        // If every candidate is kept.
        "attack_keep_worst_f32" => grid.GridX * ((2 * p.Wide(5) * VectorBytes) + 12 + (4 * p.Has(4))),
        "attack_measure_f32" => (p.Wide(4) * p[3] * 8) + (grid.GridX * 12L),
        "attack_measure_total_f32" => (p[1] * 12) + 12,
        _ => throw Unknown(kernel),
    };

    private static long Data(string kernel, Parameters p, long size) => kernel switch
    {
        // If no image is shifted.
        "data_gather_f32" => p[3] * ((p[6] * p[7] * (p[4] + (p[5] * 4))) + 8),
        "data_import_f32" or "data_import_bf16" or "data_export_f32" or "data_export_bf16" =>
            p[2] * p[5] * ((p[3] * 4) + (p[4] * size)),
        _ => throw Unknown(kernel),
    };

    private static long Filters(string kernel, in LaunchGrid grid, Parameters p, long size)
    {
        if (kernel.StartsWith("filters_prepare", StringComparison.Ordinal))
            return Prepared(p.List<FilterWork>(0, (int)p[1]), grid.GridX, size);
        if (!kernel.StartsWith("filters_export_gradient", StringComparison.Ordinal))
            throw Unknown(kernel);
        long channels = p[2], physical = p[3], taps = p[4];
        long filters = grid.GridX / (Chunks(physical, p[5]) * Chunks(taps, p[6]));
        return filters * taps * ((physical * size) + (channels * 4));
    }

    private static long Prepared(ReadOnlySpan<FilterWork> works, long blocks, long size)
    {
        long bytes = works.Length * (sizeof(FilterWork) - sizeof(int));
        for (int i = 0; i < works.Length; i++)
        {
            FilterWork work = works[i];
            long end = i + 1 < works.Length ? works[i + 1].FirstBlock : blocks;
            long padded = (end - work.FirstBlock)
                / (Chunks(work.PhysicalChannels, work.TileChannels) * Chunks(work.Taps, work.TileTaps));
            bytes += (padded * work.Taps * work.PhysicalChannels * size)
                + (work.Filters * (((long)work.Channels * work.Taps * 4) + (work.Scale.IsNull ? 0 : 4)
                    + (work.PackedShift.IsNull ? 0 : 4 + size)));
        }
        return bytes;
    }

    private static long OfParameters(string kernel, in LaunchGrid grid, Parameters p) => kernel switch
    {
        "parameters_sgd_step_f32" => p.Wide(7) * 4 * (5 + p.Has(2)),
        // If nothing is masked.
        "parameters_apply_mask_f32" => p.Wide(2) * 12,
        "parameters_blend_f32" => p.Wide(4) * 12,
        "parameters_pack_f32" or "parameters_unpack_f32" => p[3] * 12,
        "parameters_sum_f32" => (p.Wide(1) * 4) + (grid.GridX * 8L),
        "parameters_sum_total_f64" => (p[1] * 8) + 8,
        _ => throw Unknown(kernel),
    };

    private static long ChannelSums(string kernel, Parameters p, long size) => kernel switch
    {
        "channel_sums_f32" or "channel_sums_bf16" =>
            (p[1] * p[2] * VectorBytes) + (Chunks(p[1], p[4]) * p[2] * (VectorBytes / size) * 8),
        "channel_sums_finish" => (p[1] * p[3] * 8) + (p[2] * 4),
        _ => throw Unknown(kernel),
    };

    // Rows or columns that are in a window.
    private static long Seen(long windows, long window, long stride) =>
        stride >= window ? windows * window : ((windows - 1) * stride) + window;

    private static long Chunks(long length, long chunk) => (length + chunk - 1) / chunk;

    private static ArgumentException Unknown(string kernel) =>
        new($"How many bytes the kernel {kernel} moves is not known: add it to {nameof(KernelTraffic)}.", nameof(kernel));
}
