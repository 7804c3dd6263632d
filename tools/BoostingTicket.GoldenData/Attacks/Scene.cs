using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BoostingTicket.GoldenData.Attacks;

/// <summary>A trained network and images that it classifies correctly: what the attacks are recorded on.</summary>
/// <remarks>Pixels are multiples of 1/256 and ε is 1/16, so that sums of them are exact in float32: an attack's clamping then
/// never depends on rounding. Weights are rounded to float32.</remarks>
/// <param name="State">Weights and biases by name, float64.</param>
/// <param name="Images">Images [pool, channels, side, side] in [0, 1], float64.</param>
/// <param name="Labels">Class of each, int64 [pool].</param>
internal sealed record Scene(IReadOnlyDictionary<string, Tensor> State, Tensor Images, Tensor Labels)
{
    /// <summary>Radius of every attack's L∞ ball.</summary>
    public const double Epsilon = 1.0 / 16;

    private const ulong Seed = 20200306;
    private const int Candidates = 160;
    private const int TrainingBatch = 64;
    private const int TrainingSteps = 1200;
    private const double LearningRate = 0.02;
    private const double Momentum = 0.9;
    private const double LeastMargin = 0.5;

    private static readonly long[] ImageShape = [SmallNetwork.Channels, SmallNetwork.Side, SmallNetwork.Side];

    /// <summary>Images in the pool.</summary>
    public int Count => (int)Labels.shape[0];

    /// <summary>Trains the network adversarially on drawn images and draws the pool.</summary>
    public static Scene Make()
    {
        var random = new SeededRandom(Seed);
        Tensor prototypes = SeededRandom.Fill([SmallNetwork.Classes, .. ImageShape], () => random.Normal());
        Dictionary<string, Tensor> state = Train(random, prototypes);
        using var victim = new Victim(state, float64);
        (Tensor images, Tensor labels) = Draw(random, prototypes, Candidates);
        using Tensor margins = AttackLoss.Margins(victim.Logits(images), labels);
        using Tensor chosen = (margins > LeastMargin).nonzero().squeeze(1);
        return new(state, images.index_select(0, chosen), labels.index_select(0, chosen));
    }

    private static Dictionary<string, Tensor> Train(SeededRandom random, Tensor prototypes)
    {
        using var model = new SmallNetwork();
        model.to(float64);
        using (no_grad())
            foreach ((_, Parameter parameter) in model.named_parameters())
            {
                double deviation = parameter.dim() == 1 ? 0.05 : Math.Sqrt(2.0 * parameter.shape[0] / parameter.numel());
                parameter.copy_(SeededRandom.Fill(parameter.shape, () => deviation * random.Normal()));
            }
        using SGD optimizer = optim.SGD(model.parameters(), LearningRate, Momentum);
        for (int step = 0; step < TrainingSteps; step++)
        {
            using DisposeScope scope = NewDisposeScope();
            (Tensor images, Tensor labels) = Draw(random, prototypes, TrainingBatch);
            Tensor start = (images + Epsilon * SeededRandom.Fill(images.shape, () => random.Uniform(-1, 1))).clamp(
                0, 1).requires_grad_();
            Tensor gradient = autograd.grad([AttackLoss.CrossEntropy(labels)(model.forward(start)).sum()], [start])[0];
            Tensor attacked = (images + Epsilon * gradient.sign()).clamp(0, 1);
            optimizer.zero_grad();
            AttackLoss.CrossEntropy(labels)(model.forward(attacked)).mean().backward();
            optimizer.step();
        }
        return model.named_parameters().ToDictionary(p => p.name, p => p.parameter.detach().to(float32).to(float64));
    }

    // A class is a pattern; its strength varies, and noise covers it.
    private static (Tensor Images, Tensor Labels) Draw(SeededRandom random, Tensor prototypes, int count)
    {
        Tensor labels = tensor(Enumerable.Range(0, count).Select(_ => (long)random.Integer(SmallNetwork.Classes)).ToArray());
        Tensor strength = SeededRandom.Fill([count, 1, 1, 1], () => random.Uniform(0.05, 0.15));
        Tensor noise = SeededRandom.Fill([count, .. ImageShape], () => 0.15 * random.Normal());
        Tensor images = 0.5 + strength * prototypes.index_select(0, labels) + noise;
        return ((images.clamp(0, 1) * 256).round() / 256, labels);
    }
}
