using System.Runtime.InteropServices;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace BoostingTicket.Engine.Cpu.BFloat16;

/// <summary>Assembles kernels for AMX. Tile registers 0 to 3 hold sums, 4 and 5 weights, the others inputs. Linux's calling
/// convention: the call stands in rdi.</summary>
internal static class TileAssembler
{
    /// <summary>First tile register of weights.</summary>
    public const int FirstWeights = 4;

    private static readonly AssemblerRegisterTMM[] Tiles = [tmm0, tmm1, tmm2, tmm3, tmm4, tmm5, tmm6, tmm7];
    private static readonly AssemblerRegister64[] Pixels = [r12, r13, r14, r15];

    /// <summary>First tile register of inputs.</summary>
    /// <param name="groups">Groups of output channels.</param>
    public static int FirstInputs(int groups) => FirstWeights + groups;

    /// <summary><see cref="BFloat16Kernels.Run"/> for one shape of tile.</summary>
    /// <param name="groups">Groups of output channels, 1 or 2.</param>
    /// <param name="pixels">Pixels of a tile; groups times pixels is at most 4.</param>
    public static byte[] Run(int groups, int pixels)
    {
        var code = new Assembler(64);
        AssemblerRegister64[] saved = [rbx, rbp, r12, r13, r14, r15];
        foreach (AssemblerRegister64 register in saved)
            code.push(register);
        code.mov(r8, Field(nameof(TileCall.Inputs)));
        code.mov(r9, Field(nameof(TileCall.Weights)));
        code.mov(r10, Field(nameof(TileCall.Steps)));
        code.mov(r11, Field(nameof(TileCall.StepCount)));
        code.mov(rsi, Field(nameof(TileCall.Tiles)));
        code.mov(rcx, Field(nameof(TileCall.TileCount)));
        code.mov(rdx, Field(nameof(TileCall.Sums)));
        code.mov(eax, 64);

        Label nextTile = code.CreateLabel(), nextStep = code.CreateLabel(), done = code.CreateLabel();
        code.Label(ref nextTile);
        for (int sum = 0; sum < groups * pixels; sum++)
            code.tilezero(Tiles[sum]);
        for (int pixel = 0; pixel < pixels; pixel++)
        {
            code.movsxd(Pixels[pixel], __dword_ptr[rsi + 4 * pixel]);
            code.add(Pixels[pixel], r8);
        }
        code.mov(rbp, r10);
        code.mov(rdi, r11);
        code.test(rdi, rdi);
        code.jz(done);
        code.Label(ref nextStep);
        EmitStep(code, groups, pixels);
        code.add(rbp, 8);
        code.dec(rdi);
        code.jnz(nextStep);
        code.Label(ref done);
        for (int sum = 0; sum < groups * pixels; sum++)
            code.tilestored(__[rdx + rax + TileCall.GroupBytes * sum], Tiles[sum]);
        code.add(rdx, TileCall.GroupBytes * groups * pixels);
        code.add(rsi, 8 * pixels);
        code.dec(rcx);
        code.jnz(nextTile);
        foreach (AssemblerRegister64 register in saved.Reverse())
            code.pop(register);
        code.ret();
        return Assembled(code);
    }

    /// <summary>Loads the configuration of tile registers at rdi.</summary>
    public static byte[] Configure()
    {
        var code = new Assembler(64);
        code.ldtilecfg(__[rdi]);
        code.ret();
        return Assembled(code);
    }

    /// <summary>Gives the tile registers back.</summary>
    public static byte[] Release()
    {
        var code = new Assembler(64);
        code.tilerelease();
        code.ret();
        return Assembled(code);
    }

    /// <summary>A field of the call in rdi.</summary>
    internal static AssemblerMemoryOperand Field(string name) => __qword_ptr[rdi + (int)Marshal.OffsetOf<TileCall>(name)];

    internal static byte[] Assembled(Assembler code)
    {
        using var bytes = new MemoryStream();
        code.Assemble(new StreamCodeWriter(bytes), 0);
        return bytes.ToArray();
    }

    // rbx is free for addresses.
    private static void EmitStep(Assembler code, int groups, int pixels)
    {
        int firstInputs = FirstInputs(groups), registers = Tiles.Length - firstInputs;
        code.movsxd(rbx, __dword_ptr[rbp + 4]);
        code.add(rbx, r9);
        for (int group = 0; group < groups; group++)
            code.tileloadd(Tiles[FirstWeights + group], __[rbx + rax + TileCall.GroupBytes * group]);
        code.movsxd(rbx, __dword_ptr[rbp]);
        for (int pixel = 0; pixel < pixels; pixel++)
        {
            AssemblerRegisterTMM inputs = Tiles[firstInputs + pixel % registers];
            code.add(Pixels[pixel], rbx);
            code.tileloadd(inputs, __[Pixels[pixel] + rax]);
            code.sub(Pixels[pixel], rbx);
            for (int group = 0; group < groups; group++)
                code.tdpbf16ps(Tiles[group * pixels + pixel], Tiles[FirstWeights + group], inputs);
        }
    }
}
