using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Tests.Cuda.Software;

/// <summary>Loads, stores, atomics and variables.</summary>
internal sealed class MemoryTests : SoftwareFixture
{
    [Test]
    public void Short_elements_are_extended()
    {
        byte[] bytes = [0x80, 0xff, 0x7f, 0x01, 0xfe, 0xff, 0xff, 0xff];
        DevicePointer input = Upload<byte>(bytes);
        (string Load, ulong Expected)[] cases =
        [
            ("ld.global.u8 %rd0, [%rd2];", 0x80), ("ld.global.s8 %rd0, [%rd2];", 0xffffffffffffff80),
            ("ld.global.s8 %r0, [%rd2]; cvt.u64.u32 %rd0, %r0;", 0xffffff80),
            ("ld.global.s8 %rs0, [%rd2]; cvt.u64.u16 %rd0, %rs0;", 0xff80), ("ld.global.u16 %rd0, [%rd2];", 0xff80),
            ("ld.global.s16 %rd0, [%rd2+2];", 0x17f), ("ld.global.b32 %rd0, [%rd2+4];", 0xfffffffe),
            ("ld.global.s32 %rd0, [%rd2+4];", 0xfffffffffffffffe), ("ld.global.nc.u64 %rd0, [%rd2];", 0xfffffffe017fff80),
            ("ld.volatile.global.u8 %rd0, [%rd2+3];", 1), ("ld.global.ca.u8 %rd0, [%rd2+2];", 0x7f),
            ("ld.global.L1::no_allocate.L2::128B.u8 %rd0, [%rd2+2];", 0x7f), ("ld.u8 %rd0, [%rd2+2];", 0x7f),
        ];
        using (Assert.EnterMultipleScope())
        {
            foreach ((string load, ulong expected) in cases)
                Assert.That(Evaluate1($"mov.u64 %rd2, %rd1; {load}", "dd", input.Address), Is.EqualTo(expected), load);
        }
        Free(input);
    }

    [Test]
    public void Vectors_go_to_and_from_several_registers()
    {
        float[] values = [1, 2, 3, 4];
        DevicePointer input = Upload<float>(values), output = Allocate<float>(6);
        nint function = LoadKernel(
            "vectors", ".param .u64 in, .param .u64 out",
            """
            ld.param.u64 %rd1, [in]; ld.param.u64 %rd2, [out];
            ld.global.v4.f32 {%f1, _, %f3, %f4}, [%rd1]; ld.global.v2.f32 {%f5, %f6}, [%rd1+8];
            st.global.v4.f32 [%rd2], {%f4, %f3, %f5, %f1}; st.global.v2.f32 [%rd2+16], {%f6, 0fBF800000};
            """);
        Launch(function, new LaunchGrid(1, 1), input.Address, output.Address);
        Assert.That(Download<float>(output, 6), Is.EqualTo([4f, 3f, 3f, 1f, 4f, -1f]));
        Free(input, output);
    }

    /// <summary>Threads contribute 0, 1, ..., 6, and the last -16.</summary>
    [Test]
    public void Atomics_run_in_the_order_of_threads(
        [Values(
            "add.u32", "min.s32", "min.u32", "max.s32", "max.u32", "and.b32", "or.b32", "xor.b32", "exch.b32", "inc.u32",
            "dec.u32")]
        string operation,
        [Values(0u, 3u, 0xffffffffu)] uint start)
    {
        DevicePointer cell = Upload<uint>(start);
        nint function = LoadKernel(
            "atomics", ".param .u64 cell",
            $"""
            ld.param.u64 %rd1, [cell]; mov.u32 %r1, %tid.x; setp.eq.u32 %p1, %r1, 7; @%p1 mov.u32 %r1, -16;
            atom.global.{operation} %r2, [%rd1], %r1;
            """);
        Launch(function, new LaunchGrid(1, 8), cell.Address);
        uint[] contributions = [0, 1, 2, 3, 4, 5, 6, unchecked((uint)-16)];
        Func<uint, uint, uint> combine = operation switch
        {
            "add.u32" => (a, b) => a + b,
            "min.s32" => (a, b) => (uint)Math.Min((int)a, (int)b),
            "min.u32" => Math.Min,
            "max.s32" => (a, b) => (uint)Math.Max((int)a, (int)b),
            "max.u32" => Math.Max,
            "and.b32" => (a, b) => a & b,
            "or.b32" => (a, b) => a | b,
            "xor.b32" => (a, b) => a ^ b,
            "exch.b32" => (a, b) => b,
            "inc.u32" => (a, b) => a >= b ? 0 : a + 1,
            _ => (a, b) => a == 0 || a > b ? b : a - 1,
        };
        Assert.That(Download<uint>(cell, 1)[0], Is.EqualTo(contributions.Aggregate(start, combine)));
        Free(cell);
    }

    [Test]
    public void Atomics_give_the_old_value()
    {
        DevicePointer cells = Upload<uint>(0, 3, 3, 0, BitConverter.SingleToUInt32Bits(0.5f), 0), old = Allocate<uint>(4 * 4);
        nint function = LoadKernel(
            "old", ".param .u64 cells, .param .u64 old",
            """
            ld.param.u64 %rd1, [cells]; ld.param.u64 %rd2, [old]; mov.u32 %r1, %tid.x; mad.wide.u32 %rd2, %r1, 16, %rd2;
            atom.global.add.u32 %r2, [%rd1], 5;
            atom.global.cas.b32 %r3, [%rd1+4], 3, %r1;
            atom.global.inc.u32 %r4, [%rd1+12], 2;
            atom.global.add.f32 %f1, [%rd1+16], 0f3F800000; mov.b32 %r5, %f1;
            st.global.v4.u32 [%rd2], {%r2, %r3, %r4, %r5};
            """);
        Launch(function, new LaunchGrid(1, 4), cells.Address, old.Address);
        uint[] results = Download<uint>(old, 16), after = Download<uint>(cells, 6);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Enumerable.Range(0, 4).Select(i => results[i * 4]), Is.EqualTo([0u, 5u, 10u, 15u]));
            Assert.That(Enumerable.Range(0, 4).Select(i => results[(i * 4) + 1]), Is.EqualTo([3u, 0u, 0u, 0u]));
            Assert.That(Enumerable.Range(0, 4).Select(i => results[(i * 4) + 2]), Is.EqualTo([0u, 1u, 2u, 0u]));
            Assert.That(
                Enumerable.Range(0, 4).Select(i => BitConverter.UInt32BitsToSingle(results[(i * 4) + 3])),
                Is.EqualTo([0.5f, 1.5f, 2.5f, 3.5f]));
            Assert.That((after[0], after[1], BitConverter.UInt32BitsToSingle(after[4])), Is.EqualTo((20u, 0u, 4.5f)));
        }
        Free(cells, old);
    }

    /// <summary>A block of a grid that finds by counting that it is the last may read what all others wrote.</summary>
    [Test]
    public void The_last_block_may_read_what_others_wrote()
    {
        DevicePointer partial = Allocate<uint>(8), counter = Upload<uint>(0), total = Allocate<uint>(1);
        nint function = LoadKernel(
            "last", ".param .u64 partial, .param .u64 counter, .param .u64 total",
            """
            ld.param.u64 %rd1, [partial]; ld.param.u64 %rd2, [counter]; ld.param.u64 %rd3, [total];
            mov.u32 %r1, %ctaid.x; mad.wide.u32 %rd4, %r1, 4, %rd1; st.global.u32 [%rd4], %r1;
            membar.gl; atom.global.add.u32 %r2, [%rd2], 1; setp.ne.u32 %p1, %r2, 7; @%p1 ret;
            mov.u32 %r3, 0; mov.u32 %r4, 0;
            LOOP: mad.wide.u32 %rd4, %r3, 4, %rd1; ld.global.u32 %r5, [%rd4]; add.u32 %r4, %r4, %r5;
            add.u32 %r3, %r3, 1; setp.lt.u32 %p1, %r3, 8; @%p1 bra LOOP;
            st.global.u32 [%rd3], %r4;
            """);
        Launch(function, new LaunchGrid(8, 1), partial.Address, counter.Address, total.Address);
        Assert.That(Download<uint>(total, 1)[0], Is.EqualTo(28));
        Free(partial, counter, total);
    }

    /// <summary>An array of the thread's own, addressed through generic pointers as compilers do.</summary>
    [Test]
    public void Each_thread_has_memory_of_its_own()
    {
        DevicePointer output = Allocate<uint>(64);
        nint function = LoadKernel(
            "own", ".param .u64 out",
            """
            .local .align 16 .b8 depot[64]; .reg .b64 %SP, %SPL;
            mov.u64 %SPL, depot; cvta.local.u64 %SP, %SPL;
            ld.param.u64 %rd1, [out]; cvta.to.global.u64 %rd1, %rd1; mov.u32 %r1, %tid.x; mad.wide.u32 %rd1, %r1, 4, %rd1;
            and.b32 %r2, %r1, 15; mad.wide.u32 %rd2, %r2, 4, %SP; st.u32 [%rd2], %r1;
            cvta.to.local.u64 %rd3, %rd2; ld.local.u32 %r3, [%rd3]; isspacep.local %p1, %rd2; @%p1 add.u32 %r3, %r3, 1000;
            st.global.u32 [%rd1], %r3;
            """);
        Launch(function, new LaunchGrid(1, 64), output.Address);
        Assert.That(Download<uint>(output, 64), Is.EqualTo(Enumerable.Range(1000, 64).Select(n => (uint)n)));
        Free(output);
    }

    [Test]
    public void Variables_of_a_module_hold_their_initial_values()
    {
        const string Declarations = """
            .const .align 4 .f32 table[3] = {0f3F800000, 2.5};
            .global .align 4 .u32 counter = 7;
            .visible .global .align 8 .u64 pointer[2] = {counter, generic(table)+8};
            .global .align 1 .b8 text[4] = {65, 66, 0x43};

            """;
        nint module = Load(Declarations + Kernel(
            "variables", ".param .u64 out",
            """
            ld.param.u64 %rd1, [out];
            ld.const.f32 %f1, [table+4]; st.global.f32 [%rd1], %f1;
            mov.u64 %rd2, pointer; ld.global.u64 %rd3, [%rd2]; ld.global.u32 %r1, [%rd3];
            add.u32 %r1, %r1, 1; st.global.u32 [%rd3], %r1;
            ld.global.u32 %r2, [counter]; st.global.u32 [%rd1+4], %r2;
            ld.global.u8 %r3, [text+2]; st.global.u32 [%rd1+8], %r3;
            ld.global.u64 %rd4, [pointer+8]; ld.f32 %f2, [%rd4]; st.global.f32 [%rd1+12], %f2;
            """));
        nint function = Device.Function(module, "variables");
        DevicePointer output = Allocate<uint>(4);
        Launch(function, new LaunchGrid(1, 1), output.Address);
        Launch(function, new LaunchGrid(1, 1), output.Address);
        Assert.That(Download<uint>(output, 4), Is.EqualTo([BitConverter.SingleToUInt32Bits(2.5f), 9u, 67u, 0u]));
        Free(output);
        Device.UnloadModule(module);
    }

    [Test]
    public unsafe void Parameters_are_laid_out_like_a_structure()
    {
        nint function = LoadKernel(
            "parameters", ".param .u32 a, .param .u64 out, .param .u8 c, .param .align 8 .b8 d[24], .param .f32 e",
            """
            ld.param.u32 %r1, [a]; ld.param.u64 %rd1, [out]; ld.param.s8 %r2, [c];
            ld.param.v2.u32 {%r3, %r4}, [d+8]; ld.param.f32 %f1, [e];
            st.global.v4.u32 [%rd1], {%r1, %r2, %r3, %r4}; st.global.f32 [%rd1+16], %f1;
            """);
        DevicePointer output = Allocate<uint>(5);
        uint a = 11;
        ulong pointer = output.Address;
        sbyte c = -3;
        uint* d = stackalloc uint[] { 1, 2, 3, 4, 5, 6 };
        float e = 1.5f;
        void** addresses = stackalloc void*[] { &a, &pointer, &c, d, &e };
        Device.Launch(function, new LaunchGrid(1, 1), Stream, addresses);
        uint[] expected = [11, unchecked((uint)-3), 3, 4, BitConverter.SingleToUInt32Bits(1.5f)];
        Assert.That(Download<uint>(output, 5), Is.EqualTo(expected));
        Assert.That(Device.ParameterSizes(function), Is.EqualTo([4, 8, 1, 24, 4]));
        Free(output);
    }
}
