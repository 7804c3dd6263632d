using BoostingTicket.Fuzz.Mutation;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Fuzz.Targets;

/// <summary>A target whose reader wants a path.</summary>
/// <param name="name">Its name.</param>
/// <param name="form">How its inputs are mutated.</param>
/// <param name="weight">Its share of executions.</param>
/// <param name="seeds">Makes the corpus.</param>
/// <param name="read">Reads a file.</param>
/// <param name="graphs">Graphs that it builds at most, since a file names its network.</param>
internal sealed class FileTarget(
    string name, InputForm form, int weight, Func<IEnumerable<byte[]>> seeds, Action<string> read, int graphs = 1) : FuzzTarget
{
    public override string Name => name;

    public override InputForm Form => form;

    public override int Weight => weight;

    public override long FixedBytes => (graphs * DeepestGraph) + Besides;

    public override void Execute(byte[] input) => read(Scratch.Write("input.safetensors", input));

    protected override IEnumerable<byte[]> Seeds() => seeds();
}

/// <summary>Files of weights, masks and tickets, and what is done with files of others.</summary>
internal static class ModelFileTargets
{
    private static byte[] Weights => Samples.Bytes(ModelFileWriter.Create(FileKind.Weights, Samples.Metadata).Add(Samples.State));

    private static byte[] Ticket => Samples.Bytes(ModelFileWriter.Create(FileKind.Ticket, Samples.Metadata).Add(Samples.State)
        .Add(Samples.Mask));

    private static byte[] NarrowWeights => Samples.Bytes(
        ModelFileWriter.Create(FileKind.Weights, ModelFileMetadata.Of(Samples.Narrow.Graph)).Add(Samples.Narrow.Take(
            Samples.State)));

    private static byte[] NarrowTicket => Samples.Bytes(Narrow(FileKind.Ticket).Add(Samples.Narrow.Take(Samples.State))
        .Add(Mask.Dense(Samples.Narrow.Graph.Table)).Add(Samples.Narrow));

    private static byte[] NarrowMask => Samples.Bytes(
        Narrow(FileKind.Mask).Add(Mask.Dense(Samples.Narrow.Graph.Table)).Add(Samples.Narrow));

    private static SafetensorsWriter Narrow(FileKind kind) =>
        ModelFileWriter.Create(kind, Samples.Metadata with { Channels = Samples.Narrow.Graph.Channels });

    /// <summary>The targets.</summary>
    public static IEnumerable<FuzzTarget> Create()
    {
        yield return new FileTarget("weights", InputForm.Safetensors, 300, () => [Weights, NarrowWeights, .. Hostile()], path =>
        {
            SavedModel model = SavedModel.Load(path);
            GC.KeepAlive(model);
        }, graphs: 2);
        yield return new FileTarget("mask", InputForm.Safetensors, 300,
            () => [Samples.Bytes(ModelFileWriter.Create(FileKind.Mask, Samples.Metadata).Add(Samples.Mask)), NarrowMask], path =>
                MaskFile.Load(path, Samples.Graph));
        yield return new FileTarget("ticket", InputForm.Safetensors, 300, () => [Ticket, NarrowTicket], path =>
            TicketFile.Load(path, Samples.Graph));
        yield return new FileTarget("inspect", InputForm.Safetensors, 200,
            () =>
            [
                Weights, Ticket, NarrowWeights, NarrowTicket, Samples.Named("module.conv1.weight"), Samples.Named("a.b.c.d"),
                .. Hostile(),
            ],
            path => FileInspector.Inspect(path), graphs: 2);
        yield return new FileTarget("import", InputForm.Safetensors, 200, () => [Foreign("module."), Foreign("")], path =>
            WeightImport.Read(path, new ImportOptions("lenet-1-2-3", ImageSize: 16)));
        yield return new FileTarget("torch", InputForm.Binary, 200, () => TorchFiles(), path => FileInspector.Inspect(path));
        // A ticket does not say whether its hidden linear layers were pruned: a second graph is tried after the first.
        yield return new FileTarget("export", InputForm.Safetensors, 20, () => [Weights, Ticket, NarrowTicket], path =>
        {
            WeightExport.Write(path, path + ".out", PyTorchStyle.Usual);
        }, graphs: 4);
    }

    // As PyTorch saved them: archives, sequences of pickles, and pickles alone, in which most mutations get far.
    private static IEnumerable<byte[]> TorchFiles() =>
        Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "golden", "torch"), "*.pt").Order(StringComparer.Ordinal)
            .Select(File.ReadAllBytes);

    /// <summary>Files whose names and metadata harm terminals and tables, and whose metadata name networks of
    /// gigabytes.</summary>
    public static IEnumerable<byte[]> Hostile() =>
    [
        Samples.Named("\\u001b]0;pwned\\u0007\\u001b[2J", "k\\u001b]0;x\\u0007", "\\u001b[31mred \\u202egnp.exe"),
        Samples.Named(new string('.', 300)), Samples.Named("\\ud800"), Samples.Named("=cmd|<script>"),
        .. ((string[])["lenet-9999-9999-9999", "lenet-4096-4096-4096", "wrn-100000-10", "vgg16", "resnet18-w512"]).Select(Of),
    ];

    private static byte[] Of(string model) => Samples.Bytes(new SafetensorsWriter()
        .WithMetadata("boosting-ticket.kind", "weights").WithMetadata("boosting-ticket.format", "1")
        .WithMetadata("boosting-ticket.model", model).WithMetadata("boosting-ticket.input", "1x28x28")
        .WithMetadata("boosting-ticket.classes", "50000000").Add("conv1.weight", new float[1], 1));

    // As a PyTorch program would write it.
    private static byte[] Foreign(string prefix)
    {
        var writer = new SafetensorsWriter { Checksum = false };
        writer.WithMetadata("format", "pt");
        foreach (Engine.Graph.Parameter parameter in Samples.Graph.Table.All)
            writer.Add(prefix + parameter.Name, Samples.State.MemoryOf(parameter),
                [.. parameter.Spec.Dimensions.Select(size => (long)size)]);
        writer.Add(prefix + "mean", new float[] { 0.5f }, 1).Add(prefix + "std", new float[] { 0.5f }, 1);
        writer.AddBytes(prefix + "bn.num_batches_tracked", SafetensorsType.I64, new byte[8]);
        return Samples.Bytes(writer);
    }
}
