using TorchSharp;
using static TorchSharp.torch;

namespace BoostingTicket.GoldenData;

/// <summary>What a recording starts from.</summary>
/// <remarks>All values are float64 tensors that float32 holds exactly: a consumer starts from the very same numbers.</remarks>
/// <param name="State">Parameters and running statistics by name, in the order of the model.</param>
/// <param name="Masks">Kept entries (true) of each convolution's weight by parameter name; empty when nothing is pruned.</param>
/// <param name="Images">Images [batch, channels, height, width] in [0, 1].</param>
/// <param name="Labels">Class of each image, int64 [batch].</param>
/// <param name="Start">Start point of PGD, inside the ball around the images and in [0, 1].</param>
internal sealed record GoldenInputs(
    IReadOnlyDictionary<string, Tensor> State, IReadOnlyDictionary<string, Tensor> Masks,
    Tensor Images, Tensor Labels, Tensor Start)
{
    /// <summary>Images in a batch; no multiple of a vector's width, so that padded lanes are tested too.</summary>
    public const int Batch = 6;

    private const double BatchMomentum = 0.1;
    private const double KeptShare = 0.2;

    /// <summary>Draws everything from the seed of <paramref name="golden"/>.</summary>
    public static GoldenInputs Draw(GoldenCase golden)
    {
        var random = new SeededRandom(golden.Seed);
        using nn.Module<Tensor, Tensor> model = golden.Build();
        model.to(float64);
        Tensor images = DrawImages(random, golden.Channels, golden.Side);
        Tensor labels = tensor(Enumerable.Range(0, Batch).Select(_ => (long)random.Integer(10)).ToArray());
        Tensor offset = SeededRandom.Fill(images.shape, () => random.Uniform(-golden.Epsilon, golden.Epsilon));
        var state = model.named_parameters().ToDictionary(p => p.name, p => DrawParameter(random, p.name, p.parameter.shape));
        Load(state, model);
        foreach ((string name, Tensor value) in Calibrate(random, model, images))
            state[name] = value;
        var masks = golden.Masked ? DrawMasks(random, state) : [];
        return new(state, masks, images, labels, RoundToFloat32((images + offset).clamp(0, 1)));
    }

    /// <summary>Copies <paramref name="state"/> into <paramref name="model"/>, whatever its precision.</summary>
    public static void Load(IReadOnlyDictionary<string, Tensor> state, nn.Module<Tensor, Tensor> model)
    {
        using (no_grad())
            foreach ((string name, Tensor tensor) in StateOf(model))
                if (state.TryGetValue(name, out Tensor? value))
                    tensor.copy_(value);
    }

    /// <summary>Parameters and running statistics of <paramref name="model"/>, without the counters of batches.</summary>
    public static IEnumerable<(string Name, Tensor Value)> StateOf(nn.Module<Tensor, Tensor> model) =>
        model.named_parameters().Select(p => (p.name, (Tensor)p.parameter))
            .Concat(model.named_buffers().Where(b => b.buffer.is_floating_point()).Select(b => (b.name, b.buffer)));

    private static Tensor RoundToFloat32(Tensor tensor) => tensor.to(float32).to(float64);

    // Patches with noise: images that differ from each other as a whole, some of whose pixels lie at the ends of [0, 1].
    private static Tensor DrawImages(SeededRandom random, int channels, int side)
    {
        int patch = side / 4;
        double[] coarse = Enumerable.Range(0, Batch * channels * 16).Select(_ => random.Uniform()).ToArray();
        int pixel = 0;
        return RoundToFloat32(SeededRandom.Fill([Batch, channels, side, side], () =>
        {
            int x = pixel % side, y = pixel / side % side, plane = pixel / (side * side);
            pixel++;
            double value = 0.6 * coarse[plane * 16 + y / patch * 4 + x / patch] + 0.4 * random.Uniform();
            return Math.Clamp(0.5 + 1.5 * (value - 0.5), 0, 1);
        }));
    }

    // Convolutions as He et al. for the fan-out, linear layers for the fan-in; scales, shifts and biases away from 1 and 0.
    private static Tensor DrawParameter(SeededRandom random, string name, long[] shape)
    {
        double deviation = shape.Length switch
        {
            4 => Math.Sqrt(2.0 / (shape[2] * shape[3] * shape[0])),
            2 => Math.Sqrt(1.0 / shape[1]),
            _ => 0.1,
        };
        bool isScale = shape.Length == 1 && name.EndsWith(".weight", StringComparison.Ordinal);
        return RoundToFloat32(SeededRandom.Fill(shape, () => isScale ? random.Uniform(0.5, 1.5) : deviation * random.Normal()));
    }

    // Statistics of the batch itself (what one pass moves 0 and 1 by, over the momentum), then perturbed: realistic in size, yet
    // different from what training mode sees.
    private static List<(string Name, Tensor Value)> Calibrate(
        SeededRandom random, nn.Module<Tensor, Tensor> model, Tensor images)
    {
        using (no_grad())
        {
            model.train();
            model.forward(images).Dispose();
        }
        var statistics = new List<(string, Tensor)>();
        foreach ((string name, Tensor buffer) in StateOf(model).Where(s => !s.Value.requires_grad))
        {
            Tensor noise = SeededRandom.Fill(buffer.shape, random.Normal);
            bool isMean = name.EndsWith("running_mean", StringComparison.Ordinal);
            Tensor ofBatch = isMean ? buffer / BatchMomentum : (buffer - 1) / BatchMomentum + 1;
            Tensor perturbed = isMean ? ofBatch + 0.1 * ofBatch.std() * noise : ofBatch * (0.2 * noise).exp();
            statistics.Add((name, RoundToFloat32(perturbed)));
        }
        return statistics;
    }

    // Global and exact: one score per convolution weight, the highest fifth is kept.
    private static Dictionary<string, Tensor> DrawMasks(SeededRandom random, Dictionary<string, Tensor> state)
    {
        var scores = state.Where(s => s.Value.dim() == 4)
            .ToDictionary(s => s.Key, s => SeededRandom.Fill(s.Value.shape, random.Uniform));
        using Tensor all = cat(scores.Values.Select(s => s.flatten()).ToArray());
        double threshold = all.topk((int)Math.Round(KeptShare * all.numel())).values[-1].item<double>();
        return scores.ToDictionary(s => s.Key, s => s.Value >= threshold);
    }
}
