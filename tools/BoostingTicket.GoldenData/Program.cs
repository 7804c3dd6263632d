using BoostingTicket.GoldenData;
using BoostingTicket.TorchSharpSupport;

if (args is not [_])
{
    Console.Error.WriteLine("""
        Usage: BoostingTicket.GoldenData FOLDER        writes the golden values there; the repository keeps them in tests/golden
               BoostingTicket.GoldenData --find-seeds  prints, for each network, the next seed whose values are stable
        """);
    return 2;
}

TorchLibrary.Load(threads: 1);
if (args is ["--find-seeds"])
{
    foreach (GoldenCase golden in GoldenCase.All)
        Console.WriteLine($"{golden.Name}: {GoldenFile.FindSeed(golden)}");
    return 0;
}
ParameterCounts.Check();
Directory.CreateDirectory(args[0]);
foreach (GoldenCase golden in GoldenCase.All)
    GoldenFile.Write(args[0], golden);
return 0;
