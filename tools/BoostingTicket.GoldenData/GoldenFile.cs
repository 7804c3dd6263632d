using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace BoostingTicket.GoldenData;

/// <summary>Makes the file of one case.</summary>
internal static class GoldenFile
{
    /// <summary>Writes NAME.safetensors into <paramref name="folder"/> and prints how stable its values are.</summary>
    /// <exception cref="InvalidOperationException">The case's seed gives values that depend on rounding.</exception>
    public static void Write(string folder, GoldenCase golden)
    {
        using DisposeScope scope = NewDisposeScope();
        GoldenInputs inputs = GoldenInputs.Draw(golden);
        Dictionary<string, Tensor> truth = GoldenRecorder.Record(golden, inputs, float64);
        IReadOnlyList<Deviation> deviations = Stability.Measure(golden, inputs, truth);
        string path = Path.Combine(folder, golden.Name + ".safetensors");
        if (Stability.IsStable(deviations))
            SafetensorsWriter.Write(path, Contents(inputs, truth), Metadata(golden));
        Console.WriteLine($"{path}: {truth.Count} results; other roundings depart by at most");
        foreach (Deviation deviation in deviations)
            Console.WriteLine($"  {deviation.Kind,-24}{deviation.Value:E1} {deviation.Unit}");
        if (!Stability.IsStable(deviations))
            throw new InvalidOperationException(
                $"The values of {golden.Name} depend on rounding: give the case another seed (--find-seeds).");
    }

    /// <summary>The first seed from the case's own upwards whose values are stable.</summary>
    public static ulong FindSeed(GoldenCase golden)
    {
        for (GoldenCase candidate = golden; ; candidate = candidate with { Seed = candidate.Seed + 1 })
        {
            using DisposeScope scope = NewDisposeScope();
            GoldenInputs inputs = GoldenInputs.Draw(candidate);
            if (Stability.IsStable(Stability.Measure(candidate, inputs, GoldenRecorder.Record(candidate, inputs, float64))))
                return candidate.Seed;
        }
    }

    private static Dictionary<string, Tensor> Contents(GoldenInputs inputs, Dictionary<string, Tensor> truth)
    {
        var contents = new Dictionary<string, Tensor> { ["labels"] = inputs.Labels, ["input"] = inputs.Images };
        foreach ((string name, Tensor value) in inputs.State)
            contents[$"initial.{name}"] = value;
        foreach ((string name, Tensor value) in inputs.Masks)
            contents[$"mask.{name}"] = value;
        contents["attack.start"] = inputs.Start;
        foreach ((string name, Tensor value) in truth)
            contents[name] = value;
        return contents;
    }

    private static Dictionary<string, string> Metadata(GoldenCase golden) => new()
    {
        ["model"] = golden.Name,
        ["generator"] = $"TorchSharp {TorchSharpVersion}, libtorch {__version__}, float64, 1 thread",
        ["seed"] = Text(golden.Seed),
        ["attack.epsilon"] = Text(golden.Epsilon),
        ["attack.step_size"] = Text(golden.StepSize),
        ["sgd.learning_rate"] = Text(golden.LearningRate),
        ["sgd.momentum"] = Text(GoldenRecorder.Momentum),
        ["sgd.weight_decay"] = Text(GoldenRecorder.WeightDecay),
        ["cw.margin"] = Text(GoldenRecorder.Margin),
    };

    private static string TorchSharpVersion => typeof(torch).Assembly.GetName().Version!.ToString(3);

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
}
