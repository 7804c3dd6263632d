using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace BoostingTicket.Engine.Cpu.BFloat16;

/// <summary>Assembles kernels for AVX512-BF16: of one group of output channels, four rows by some pixels at a time in registers 0
/// to 15, inputs in 16 to 19, a broadcast pair of weights in 20. Linux's calling convention: the call stands in rdi.</summary>
internal static class VectorAssembler
{
    /// <summary>Rows whose sums are in registers at a time.</summary>
    private const int RowsTogether = 4;

    private const int RowBytes = 64;
    private static readonly AssemblerRegister64[] Pixels = [r12, r13, r14, r15];

    private static readonly AssemblerRegisterZMM[] Vectors =
    [
        zmm0, zmm1, zmm2, zmm3, zmm4, zmm5, zmm6, zmm7, zmm8, zmm9, zmm10, zmm11, zmm12, zmm13, zmm14, zmm15, zmm16, zmm17, zmm18,
        zmm19, zmm20,
    ];

    /// <summary><see cref="BFloat16Kernels.Run"/> for one group of output channels. Rows are computed four at a time, those
    /// beyond
    /// <see cref="TileCall.Rows"/> too, whose weights must be numbers.</summary>
    /// <param name="pixels">Pixels of a tile, 1 to 4.</param>
    public static byte[] Run(int pixels)
    {
        var code = new Assembler(64);
        AssemblerRegister64[] saved = [rbx, rbp, r12, r13, r14, r15];
        foreach (AssemblerRegister64 register in saved)
            code.push(register);
        code.mov(rsi, TileAssembler.Field(nameof(TileCall.Tiles)));
        code.mov(rdx, TileAssembler.Field(nameof(TileCall.Sums)));
        code.mov(rcx, TileAssembler.Field(nameof(TileCall.TileCount)));

        Label nextTile = code.CreateLabel(), nextRows = code.CreateLabel(), nextStep = code.CreateLabel();
        Label nextPair = code.CreateLabel(), done = code.CreateLabel();
        code.Label(ref nextTile);
        code.xor(r8d, r8d);
        code.mov(r9, TileAssembler.Field(nameof(TileCall.Weights)));
        code.Label(ref nextRows);
        for (int sum = 0; sum < RowsTogether * pixels; sum++)
            code.vpxord(Vectors[sum], Vectors[sum], Vectors[sum]);
        code.mov(rbp, TileAssembler.Field(nameof(TileCall.Steps)));
        code.mov(r11, TileAssembler.Field(nameof(TileCall.StepCount)));
        code.test(r11, r11);
        code.jz(done);
        code.Label(ref nextStep);
        code.movsxd(rbx, __dword_ptr[rbp]);
        code.add(rbx, TileAssembler.Field(nameof(TileCall.Inputs)));
        for (int pixel = 0; pixel < pixels; pixel++)
        {
            code.movsxd(Pixels[pixel], __dword_ptr[rsi + 4 * pixel]);
            code.add(Pixels[pixel], rbx);
        }
        code.movsxd(rbx, __dword_ptr[rbp + 4]);
        code.add(rbx, r9);
        code.mov(r10, TileAssembler.Field(nameof(TileCall.Pairs)));
        code.Label(ref nextPair);
        for (int pixel = 0; pixel < pixels; pixel++)
        {
            code.vmovups(Vectors[16 + pixel], __zmmword_ptr[Pixels[pixel]]);
            code.add(Pixels[pixel], RowBytes);
        }
        for (int row = 0; row < RowsTogether; row++)
        {
            code.vpbroadcastd(Vectors[20], __dword_ptr[rbx + RowBytes * row]);
            for (int pixel = 0; pixel < pixels; pixel++)
                code.vdpbf16ps(Vectors[row * pixels + pixel], Vectors[16 + pixel], Vectors[20]);
        }
        code.add(rbx, sizeof(int));
        code.dec(r10);
        code.jnz(nextPair);
        code.add(rbp, 8);
        code.dec(r11);
        code.jnz(nextStep);
        code.Label(ref done);
        for (int row = 0; row < RowsTogether; row++)
        {
            for (int pixel = 0; pixel < pixels; pixel++)
                code.vmovups(__zmmword_ptr[rdx + RowBytes * row + TileCall.GroupBytes * pixel], Vectors[row * pixels + pixel]);
        }
        code.add(rdx, RowBytes * RowsTogether);
        code.add(r9, RowBytes * RowsTogether);
        code.add(r8, RowsTogether);
        code.cmp(r8, TileAssembler.Field(nameof(TileCall.Rows)));
        code.jl(nextRows);
        // Rows were written from the tile's start on; go on behind all sixteen of every pixel.
        code.shl(r8, 6);
        code.sub(rdx, r8);
        code.add(rdx, TileCall.GroupBytes * pixels);
        code.add(rsi, 8 * pixels);
        code.dec(rcx);
        code.jnz(nextTile);
        code.vzeroupper();
        foreach (AssemblerRegister64 register in saved.Reverse())
            code.pop(register);
        code.ret();
        return TileAssembler.Assembled(code);
    }
}
