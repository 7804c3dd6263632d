using System.Text;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.SoftwareCuda;

namespace BoostingTicket.Engine.Tests.Cuda.Software;

/// <summary>A software CUDA device with a stream, and small helpers to run PTX on it.</summary>
internal abstract unsafe class SoftwareFixture
{
    private const string Header = ".version 7.8\n.target sm_70\n.address_size 64\n";

    private bool _defectsExpected;

    /// <summary>The device; its context is current.</summary>
    private protected SoftwareCudaDevice Device { get; private set; } = null!;

    private protected nint Stream { get; private set; }

    [SetUp]
    public void OpenDevice()
    {
        _defectsExpected = false;
        Device = new SoftwareCudaDevice(new SoftwareCudaOptions { MemoryBytes = 64 << 20, StepLimit = 100_000 });
        Device.SetCurrentContext(Device.RetainPrimaryContext(0));
        Stream = Device.CreateStream();
    }

    /// <summary>Tests that fail, or that provoke a defect, leave memory behind.</summary>
    [TearDown]
    public void CloseDevice()
    {
        try
        {
            Device.Dispose();
        }
        catch (SoftwareCudaException) when (_defectsExpected || TestContext.CurrentContext.Result.FailCount > 0)
        {
        }
    }

    /// <summary>A kernel with a body between its declarations of registers and its return.</summary>
    private protected static string Kernel(string name, string parameters, string body, string attributes = "") =>
        $$"""
        .visible .entry {{name}}({{parameters}}){{attributes}}
        {
            .reg .pred %p<16>; .reg .b16 %rs<16>; .reg .b32 %r<32>; .reg .b64 %rd<32>; .reg .f32 %f<32>; .reg .f64 %fd<32>;
            {{body}}
            ret;
        }

        """;

    private protected nint Load(string declarations) =>
        Device.LoadModule(Encoding.ASCII.GetBytes(Header + declarations + "\0"));

    private protected nint LoadKernel(string name, string parameters, string body, string attributes = "") =>
        Device.Function(Load(Kernel(name, parameters, body, attributes)), name);

    private protected DevicePointer Upload<T>(params ReadOnlySpan<T> values)
        where T : unmanaged
    {
        DevicePointer pointer = Device.Allocate((nuint)(values.Length * sizeof(T)), Stream);
        fixed (T* source = values)
            Device.CopyToDevice(pointer, source, (nuint)(values.Length * sizeof(T)), Stream);
        return pointer;
    }

    private protected DevicePointer Allocate<T>(int count)
        where T : unmanaged => Device.Allocate((nuint)(count * sizeof(T)), Stream);

    private protected T[] Download<T>(DevicePointer pointer, int count)
        where T : unmanaged
    {
        var values = new T[count];
        fixed (T* destination = values)
            Device.CopyToHost(destination, pointer, (nuint)(count * sizeof(T)), Stream);
        Device.Synchronize(Stream);
        return values;
    }

    private protected void Free(params ReadOnlySpan<DevicePointer> pointers)
    {
        foreach (DevicePointer pointer in pointers)
            Device.Free(pointer, Stream);
    }

    /// <summary>Launches with parameters that are pointers or 64-bit cells of smaller values.</summary>
    private protected void Launch(nint function, LaunchGrid grid, params ReadOnlySpan<ulong> parameters)
    {
        void** addresses = stackalloc void*[Math.Max(1, parameters.Length)];
        fixed (ulong* values = parameters)
        {
            for (int i = 0; i < parameters.Length; i++)
                addresses[i] = values + i;
            Device.Launch(function, grid, Stream, addresses);
        }
    }

    /// <summary>Runs something that must be reported, and returns the report.</summary>
    private protected string Defect(Action action)
    {
        _defectsExpected = true;
        return Assert.Throws<SoftwareCudaException>(() => action())!.Message;
    }

    /// <summary>Executes an instruction once for each row of operands, each row in a thread of its own.</summary>
    /// <param name="instruction">Name and modifiers, such as <c>add.s32</c>, or several instructions that name the
    /// registers.</param>
    /// <param name="types">A letter for the result and each operand: p predicate, h 16 bits, r 32 bits, d 64 bits, f float32,
    /// e float64.</param>
    /// <param name="rows">Operands as bits.</param>
    private protected ulong[] Evaluate(string instruction, string types, params ulong[][] rows)
    {
        var body = new StringBuilder(
            """
            ld.param.u64 %rd30, [in]; ld.param.u64 %rd31, [out]; mov.u32 %r31, %tid.x;
            mad.wide.u32 %rd30, %r31, 64, %rd30; mad.wide.u32 %rd31, %r31, 8, %rd31;
            """);
        for (int i = 1; i < types.Length; i++)
            body.AppendLine(Input(types[i], i, (i - 1) * 8));
        body.AppendLine(instruction.Contains(';', StringComparison.Ordinal)
            ? instruction
            : $"{instruction} {string.Join(", ", types.Select(Register))};");
        body.AppendLine(Output(types[0]));
        nint function = LoadKernel("evaluate", ".param .u64 in, .param .u64 out", body.ToString());
        ulong[] cells = new ulong[rows.Length * 8];
        for (int i = 0; i < rows.Length; i++)
            rows[i].CopyTo(cells.AsSpan(i * 8));
        DevicePointer input = Upload<ulong>(cells), output = Allocate<ulong>(rows.Length);
        Launch(function, new LaunchGrid(1, (uint)rows.Length), input.Address, output.Address);
        ulong[] results = Download<ulong>(output, rows.Length);
        Free(input, output);
        return results;
    }

    /// <summary>Executes an instruction for one row of operands.</summary>
    private protected ulong Evaluate1(string instruction, string types, params ulong[] operands) =>
        Evaluate(instruction, types, [operands])[0];

    private protected static ulong Bits(float value) => BitConverter.SingleToUInt32Bits(value);

    private protected static ulong Bits(double value) => BitConverter.DoubleToUInt64Bits(value);

    private static string Register(char type, int index) => type switch
    {
        'p' => $"%p{index}",
        'h' => $"%rs{index}",
        'r' => $"%r{index}",
        'f' => $"%f{index}",
        'e' => $"%fd{index}",
        _ => $"%rd{index}",
    };

    private static string Input(char type, int index, int offset) => type switch
    {
        'p' => $"ld.global.u32 %r30, [%rd30+{offset}]; setp.ne.u32 %p{index}, %r30, 0;",
        'h' => $"ld.global.u16 %rs{index}, [%rd30+{offset}];",
        'r' => $"ld.global.u32 %r{index}, [%rd30+{offset}];",
        'f' => $"ld.global.f32 %f{index}, [%rd30+{offset}];",
        'e' => $"ld.global.f64 %fd{index}, [%rd30+{offset}];",
        _ => $"ld.global.u64 %rd{index}, [%rd30+{offset}];",
    };

    private static string Output(char type) => type switch
    {
        'p' => "selp.u64 %rd0, 1, 0, %p0; st.global.u64 [%rd31], %rd0;",
        'h' => "cvt.u64.u16 %rd0, %rs0; st.global.u64 [%rd31], %rd0;",
        'r' => "cvt.u64.u32 %rd0, %r0; st.global.u64 [%rd31], %rd0;",
        'f' => "mov.b32 %r0, %f0; cvt.u64.u32 %rd0, %r0; st.global.u64 [%rd31], %rd0;",
        'e' => "st.global.f64 [%rd31], %fd0;",
        _ => "st.global.u64 [%rd31], %rd0;",
    };
}
