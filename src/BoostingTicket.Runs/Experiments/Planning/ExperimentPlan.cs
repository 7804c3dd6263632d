namespace BoostingTicket.Runs.Experiments.Planning;

/// <summary>What an experiment will do and how long it will take.</summary>
/// <param name="Experiment">Name of the experiment.</param>
/// <param name="Title">What it shows.</param>
/// <param name="Seeds">Seeds.</param>
/// <param name="Steps">What was measured.</param>
/// <param name="Nodes">The pieces of work, in the order in which they are done.</param>
internal sealed record ExperimentPlan(
    string Experiment, string Title, IReadOnlyList<ulong> Seeds, IReadOnlyList<StepTime> Steps, IReadOnlyList<PlannedNode> Nodes)
{
    /// <summary>Estimated seconds of all that is to do.</summary>
    public double SecondsLeft => Nodes.Where(node => !node.Done).Sum(node => node.Seconds);

    /// <summary>Estimated seconds of all, what is done already included.</summary>
    public double SecondsInAll => Nodes.Sum(node => node.Seconds);
}

/// <summary>A piece of work in a plan.</summary>
/// <param name="Name">Its folder in the store.</param>
/// <param name="Label">What it is.</param>
/// <param name="Seed">The seed.</param>
/// <param name="Done">Whether the store has it.</param>
/// <param name="Steps">Batches trained on.</param>
/// <param name="Seconds">Estimated seconds.</param>
internal sealed record PlannedNode(string Name, string Label, ulong Seed, bool Done, long Steps, double Seconds);

/// <summary>Measured times of one kind of step.</summary>
/// <param name="Model">Model.</param>
/// <param name="Pruned">What the network lacks of its model, such as <c>80 % of weights, global</c>; null for nothing.</param>
/// <param name="Precision">Number format.</param>
/// <param name="Method">What is trained on.</param>
/// <param name="Batch">Samples a step.</param>
/// <param name="MeasuredBatch">Samples of the batch that was measured; fewer where a full one would have taken long.</param>
/// <param name="StepSeconds">Seconds of a training step.</param>
/// <param name="CleanImageSeconds">Seconds of classifying an image.</param>
/// <param name="AttackedImageSeconds">Seconds of an attack's step on an image.</param>
internal sealed record StepTime(
    string Model, string? Pruned, string Precision, string Method, int Batch, int MeasuredBatch, double StepSeconds,
    double CleanImageSeconds, double AttackedImageSeconds);
