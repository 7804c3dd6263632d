using BoostingTicket.GoldenData;
using BoostingTicket.GoldenData.Attacks;
using BoostingTicket.TorchSharpSupport;

if (args is not ([_] or [_, _]))
{
    Console.Error.WriteLine($"""
        Usage: BoostingTicket.GoldenData FOLDER [FILE]  writes the golden values there, or one file: {AttackFile.Name} or a
                                                        network's; the repository keeps them in tests/golden
               BoostingTicket.GoldenData --find-seeds [NETWORK]
                                                        prints, for each network or one, the next seed whose values are stable
        """);
    return 2;
}

PlainKernels.Ask();
TorchLibrary.Load(threads: 1);
bool IsAsked(string name) => args is [_] || args[1] == name;
if (args[0] == "--find-seeds")
{
    foreach (GoldenCase golden in GoldenCase.All.Where(golden => IsAsked(golden.Name)))
        Console.WriteLine($"{golden.Name}: {GoldenFile.FindSeed(golden)}");
    return 0;
}
ParameterCounts.Check();
Directory.CreateDirectory(args[0]);
foreach (GoldenCase golden in GoldenCase.All.Where(golden => IsAsked(golden.Name)))
    GoldenFile.Write(args[0], golden);
if (IsAsked(AttackFile.Name))
    AttackFile.Write(args[0]);
return 0;
