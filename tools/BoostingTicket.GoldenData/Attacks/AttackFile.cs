using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace BoostingTicket.GoldenData.Attacks;

/// <summary>Makes the file of recorded attacks: of each attack a few samples, chosen so that no decision of theirs depends on
/// rounding and that they differ in how it ends.</summary>
internal static class AttackFile
{
    /// <summary>Name of the file.</summary>
    public const string Name = "attacks";

    private const int Samples = 6;
    private const double Tolerance = 1e-5;
    private const double Nudge = 2e-7;
    private const int Nudges = 4;

    /// <summary>The attacks: those of PGD, and AutoAttack's.</summary>
    private static readonly PublishedAttack[] Attacks =
    [
        new PublishedPgd("pgd", AttackLoss.CrossEntropy, steps: 10, restarts: 3),
        new PublishedPgd("cw", AttackLoss.CarliniWagner, steps: 20, restarts: 1),
        new PublishedAutoPgd("apgd-ce", targeted: false, purpose: 1,
            [0, 1, 2, 9, 20, 21, 22, 23, 40, 41, 42, 56, 57, 69, 70, 79, 80, 86, 87, 92, 93, 98, 99]),
        new PublishedAutoPgd("apgd-t", targeted: true, purpose: 2, [0, 1, 22, 41, 57, 99]),
        new PublishedFab("fab-t", iterations: 100, [0, 1, 4, 19, 99]),
        new PublishedSquare("square", queries: 600, [0, 1, 2, 10, 11, 12, 51, 52, 100, 201, 202, 350, 501, 502, 600]),
    ];

    /// <summary>Writes attacks.safetensors into <paramref name="folder"/>.</summary>
    /// <exception cref="InvalidOperationException">Too few samples do not depend on rounding.</exception>
    public static void Write(string folder)
    {
        RandomWords.Check();
        using DisposeScope scope = NewDisposeScope();
        Scene scene = Scene.Make();
        Console.WriteLine($"{Name}: a pool of {scene.Count} images");
        var contents = scene.State.ToDictionary(s => $"initial.{s.Key}", s => s.Value);
        var metadata = new Dictionary<string, string>
        {
            ["generator"] =
                $"TorchSharp {typeof(torch).Assembly.GetName().Version!.ToString(3)}, libtorch {__version__}, float64, 1 thread",
            ["epsilon"] = Text(Scene.Epsilon),
            ["stream"] = Text(RandomWords.Key),
            ["cw.margin"] = Text(AttackLoss.Kappa),
        };
        foreach (PublishedAttack attack in Attacks)
        {
            Record(attack, scene, contents);
            foreach ((string name, double value) in attack.Constants)
                metadata[$"{attack.Name}.{name}"] = Text(value);
        }
        SafetensorsWriter.Write(Path.Combine(folder, $"{Name}.safetensors"), contents, metadata);
    }

    private static void Record(PublishedAttack attack, Scene scene, Dictionary<string, Tensor> contents)
    {
        using var victim = new Victim(scene.State, float64);
        using Recording truth = attack.Run(victim, scene, asProgram: false);
        bool[] stable = FindStable(attack, scene, victim, truth);
        var kinds = Enumerable.Range(0, scene.Count).Where(s => stable[s])
            .GroupBy(s => attack.Kind(truth, s)).Where(kind => kind.Key is not null)
            .ToDictionary(kind => kind.Key!, kind => kind.ToList());
        string found = string.Join("; ", kinds.OrderBy(kind => kind.Key).Select(kind => $"{kind.Value.Count} {kind.Key}"));
        Console.WriteLine($"{attack.Name}: {stable.Count(s => s)} samples do not depend on rounding: {found}");
        long[] chosen = [.. Choose([.. kinds.OrderBy(kind => kind.Key).Select(kind => kind.Value)])];
        if (chosen.Length < Samples)
            throw new InvalidOperationException(
                $"Only {chosen.Length} samples of {attack.Name} are fit to be recorded: draw a larger pool.");

        using Tensor index = tensor(chosen);
        contents[$"{attack.Name}.samples"] = index.clone();
        contents[$"{attack.Name}.labels"] = scene.Labels.index_select(0, index);
        contents[$"{attack.Name}.clean"] = scene.Images.index_select(0, index);
        foreach (string name in truth.Names)
        {
            Tensor all = truth[name].index_select(2, index);
            contents[$"{attack.Name}.{name}"] = name == "images" && attack.KeptImages.Count > 0
                ? all.index_select(1, tensor(attack.KeptImages.ToArray())) : all;
        }
        if (attack.KeptImages.Count > 0)
            contents[$"{attack.Name}.images.at"] = tensor(attack.KeptImages.ToArray());
    }

    // In turn from each kind, so that all are there.
    private static IEnumerable<long> Choose(IReadOnlyList<List<int>> kinds) =>
        Enumerable.Range(0, Samples).SelectMany(turn => kinds.Where(kind => turn < kind.Count).Select(kind => (long)kind[turn]))
            .Take(Samples).Order();

    // Those whose courses are the same in float32, in float64 with all weights changed at random (which stands for other orders
    // of summation), and as the authors' program reads the paper.
    private static bool[] FindStable(PublishedAttack attack, Scene scene, Victim victim, Recording truth)
    {
        bool[] stable = [.. Enumerable.Repeat(true, scene.Count)];
        void Compare(Victim other, bool asProgram)
        {
            using Recording recording = attack.Run(other, scene, asProgram);
            foreach (string name in truth.Names)
            {
                using DisposeScope scope = NewDisposeScope();
                Tensor error = (recording[name] - truth[name]).abs() / (1 + truth[name].abs());
                double[] worst = error.transpose(0, 2).flatten(1).amax([1]).data<double>().ToArray();
                for (int s = 0; s < stable.Length; s++)
                    stable[s] &= worst[s] <= Tolerance;
            }
        }

        Compare(victim, asProgram: true);
        using (var single = new Victim(scene.State, float32))
            Compare(single, asProgram: false);
        for (ulong seed = 1; seed <= Nudges; seed++)
        {
            var random = new SeededRandom(seed);
            Dictionary<string, Tensor> nudged = scene.State.ToDictionary(
                s => s.Key, s => s.Value * (1 + Nudge * SeededRandom.Fill(s.Value.shape, random.Normal)));
            using var other = new Victim(nudged, float64);
            Compare(other, asProgram: false);
        }
        return stable;
    }

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
}
