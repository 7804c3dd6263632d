using System.Globalization;
using System.Numerics;
using System.Runtime.Intrinsics;
using BoostingTicket.Calibration;
using BoostingTicket.Engine.Cpu;

// Measures what the steps of convolutions cost on this machine and prints the prices that ConvolutionPrices holds:
// [--set Avx512|Avx2|Portable] [--repetitions N] [--only SHAPE] [--dense] [--threads N] [--bf16]. Two threads that share a core
// are not two cores: give as many threads as the machine has where programs use all of them.
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
InstructionSet set = Enum.Parse<InstructionSet>(Text("--set") ?? $"{InstructionSets.Best}");
int repetitions = int.Parse(Text("--repetitions") ?? "5", CultureInfo.InvariantCulture);
int threads = int.Parse(Text("--threads") ?? "1", CultureInfo.InvariantCulture);
string only = Text("--only") ?? "";
bool sparse = !args.Contains("--dense");
if (!InstructionSets.Available.Contains(set))
{
    Console.Error.WriteLine($"This machine has no {set}; it has {string.Join(", ", InstructionSets.Available)}.");
    return 1;
}
if (args.Contains("--bf16"))
    return BFloat16Attacks.Run(repetitions, only);
switch (set)
{
    case InstructionSet.Avx512:
        Calibration.Run<Avx512Lanes, Vector512<float>>(set, repetitions, only, sparse, threads);
        break;
    case InstructionSet.Avx2:
        Calibration.Run<Avx2Lanes, Vector256<float>>(set, repetitions, only, sparse, threads);
        break;
    default:
        Calibration.Run<PortableLanes, Vector<float>>(set, repetitions, only, sparse, threads);
        break;
}
return 0;

string? Text(string option)
{
    int index = Array.IndexOf(args, option);
    return index >= 0 && index + 1 < args.Length ? args[index + 1] : null;
}
