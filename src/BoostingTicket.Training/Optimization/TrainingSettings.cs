using System.Globalization;

namespace BoostingTicket.Training.Optimization;

/// <summary>What a network is trained on.</summary>
public enum TrainingMethod
{
    /// <summary>Clean images.</summary>
    Natural,

    /// <summary>FGSM with a zero start and a step of ε: weakly robust and cheap (paper, section 4.1).</summary>
    Fgsm,

    /// <summary>PGD from a random start (Madry et al.): robust but expensive.</summary>
    Pgd,

    /// <summary>FGSM from a random start with a step of 1.25 ε: <see cref="MethodSettings.FgsmRsStep"/>.</summary>
    FgsmRs,

    /// <summary>N-FGSM: <see cref="MethodSettings.Noise"/> around the image, then a step that is not clipped to the
    /// ball.</summary>
    NFgsm,

    /// <summary>Free-m: <see cref="MethodSettings.Replays"/> steps a batch, each giving the gradients of weights and
    /// images.</summary>
    Free,

    /// <summary>YOPO-K-n: <see cref="MethodSettings.OuterSteps"/> propagations a step, each followed by
    /// <see cref="MethodSettings.InnerSteps"/> steps of the images through the first layer.</summary>
    Yopo,

    /// <summary>TRADES: clean cross-entropy and <see cref="MethodSettings.Beta"/> times a divergence.</summary>
    Trades,
}

/// <summary>Stops training when validation accuracy has stopped rising (paper, Appendix C).</summary>
public sealed record EarlyStopping
{
    /// <summary>Epochs without a new best validation accuracy after which training stops, from 1 to 100,000; only epochs in which
    /// that accuracy was measured count.</summary>
    public int Patience { get; init; } = 5;

    /// <summary>Whether robust instead of clean validation accuracy is watched, and decides which weights are best; null for
    /// robust in adversarial training where it is measured, clean otherwise.</summary>
    public bool? Robust { get; init; }
}

/// <summary>Which running statistics a step leaves whose batch was cut into shards.</summary>
public enum ReplicaStatistics
{
    /// <summary>The mean of all replicas'.</summary>
    Mean,

    /// <summary>The first replica's, as PyTorch's DataParallel and DistributedDataParallel keep them.</summary>
    First,
}

/// <summary>How the learning rate falls after the warm-up.</summary>
public enum LearningRateDecay
{
    /// <summary>By a factor at certain shares of the training: <see cref="TrainingSettings.LearningRateDrops"/>.</summary>
    Drops,

    /// <summary>In a straight line to 0 at the end, as short trainings do (Smith and Topin, "Super-convergence", 2018; Wong, Rice
    /// and Kolter, "Fast is better than free", 2020). The drops do not count then.</summary>
    Linear,
}

/// <summary>One training from its first to its last step. What takes settings throws <see cref="ConfigurationException"/> for a
/// value out of its range.</summary>
public sealed record TrainingSettings
{
    /// <summary>What the network is trained on.</summary>
    public TrainingMethod Method { get; init; } = TrainingMethod.Pgd;

    /// <summary>What single methods take.</summary>
    public MethodSettings MethodOptions { get; init; } = new();

    /// <summary>Passes over the training set, from 0 to 100,000; with <see cref="TrainingMethod.Free"/> each of a batch's replays
    /// is a pass, so that it takes as many steps of the weights as any other method, and an m-th of the epochs. Where m does not
    /// divide the passes, the last epoch has fewer replays.</summary>
    public int Epochs { get; init; } = 100;

    /// <summary>Samples a step, from 1 to 65,536, and at least 2 for each replica of several.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>Learning rate of SGD, after the warm-up and before the drops, from 0 to 100.</summary>
    public double LearningRate { get; init; } = 0.1;

    /// <summary>Rate that a linear warm-up starts from, from 0 to 100; null for no warm-up. A boosting ticket warms up from the
    /// rate of its donor (paper, section 3.1).</summary>
    public double? WarmupFrom { get; init; }

    /// <summary>Length of the warm-up.</summary>
    public StepLength WarmupLength { get; init; } = new(5, StepUnit.Percent);

    /// <summary>How the rate falls after the warm-up.</summary>
    public LearningRateDecay LearningRateDecay { get; init; } = LearningRateDecay.Drops;

    /// <summary>Shares of the training, from 0 to 1, after which the rate is multiplied by <see cref="LearningRateFactor"/>;
    /// empty for a constant rate.</summary>
    public IReadOnlyList<double> LearningRateDrops { get; init; } = [0.5, 0.75];

    /// <summary>Factor of each drop, from 0 to 1.</summary>
    public double LearningRateFactor { get; init; } = 0.1;

    /// <summary>Momentum of SGD, not Nesterov, from 0 to 0.9999.</summary>
    public double Momentum { get; init; } = 0.9;

    /// <summary>Weight decay, added to the gradient, from 0 to 1.</summary>
    public double WeightDecay { get; init; } = 2e-4;

    /// <summary>Whether biases and normalisation decay too, as PyTorch's SGD does it; otherwise weights only.</summary>
    public bool DecayAll { get; init; } = true;

    /// <summary>Share that a step leaves of the running average of weights and statistics, such as 0.9995, up to 0.999999; null
    /// for none. With an average, it is what is validated, tested, saved and pruned.</summary>
    public double? Ema { get; init; }

    /// <summary>Shards that each batch is cut into, from 1 to 4,096, as if so many devices shared it: batch normalisation sees
    /// one shard at a time, gradients are added up in a fixed order. So many processes at most can compute the training, and any
    /// smaller number gives the same bits.</summary>
    public int Replicas { get; init; } = 1;

    /// <summary>Which running statistics a step of several replicas leaves.</summary>
    public ReplicaStatistics ReplicaStatistics { get; init; } = ReplicaStatistics.Mean;

    /// <summary>When to stop before the last epoch; null for never.</summary>
    public EarlyStopping? EarlyStopping { get; init; }

    /// <summary>Checks the ranges.</summary>
    /// <param name="group">Path of these settings in a configuration, with a dot behind; empty for none.</param>
    /// <exception cref="ConfigurationException">One is violated; the message names the setting.</exception>
    internal void Validate(string group)
    {
        Require.InRange($"{group}epochs", Epochs, 0, 100_000);
        Require.InRange($"{group}batchSize", BatchSize, 1, 65_536);
        Require.InRange($"{group}replicas", Replicas, 1, 4_096);
        if (Replicas > 1 && BatchSize < 2 * Replicas)
            throw new ConfigurationException(string.Create(
                CultureInfo.InvariantCulture,
                $"{Replicas} replicas share a batch of {BatchSize}, but each needs at least 2 samples for its batch statistics; "
                + $"give a larger {Setting.Named($"{group}batchSize")} or at most {Math.Max(BatchSize / 2, 1)} "
                + $"{Setting.Named($"{group}replicas")}."));
        Require.InRange($"{group}learningRate", LearningRate, 0, 100);
        if (WarmupFrom is { } from)
            Require.InRange($"{group}warmupFrom", from, 0, 100);
        foreach (double drop in LearningRateDrops)
            Require.InRange($"{group}learningRateDrops", drop, 0, 1);
        Require.InRange($"{group}learningRateFactor", LearningRateFactor, 0, 1);
        Require.InRange($"{group}momentum", Momentum, 0, 0.9999);
        Require.InRange($"{group}weightDecay", WeightDecay, 0, 1);
        MethodOptions.Validate($"{group}methodOptions.");
        if (Ema is { } ema)
            Require.InRange($"{group}ema", ema, 0, 0.999999);
        if (EarlyStopping is { } stopping)
            Require.InRange($"{group}earlyStopping.patience", stopping.Patience, 1, 100_000);
    }
}
