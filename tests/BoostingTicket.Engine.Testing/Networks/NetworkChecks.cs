using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing.Networks;

/// <summary>How far one result of a network is off.</summary>
/// <param name="Name">Parameter, <c>input</c>, <c>logits</c>, …</param>
/// <param name="Error">What the check measures; see there.</param>
internal readonly record struct Deviation(string Name, double Error);

/// <summary>One thing that a network computed.</summary>
/// <param name="Name">Name of a statistic, <c>gradient of</c> a parameter, <c>logits</c>, …</param>
/// <param name="Values">Logical values.</param>
/// <param name="IsParameterGradient">Whether it is the gradient of a trained parameter.</param>
internal sealed record NetworkResult(string Name, float[] Values, bool IsParameterGradient)
{
    /// <summary>Mean of the squared values.</summary>
    public double MeanSquare => Values.Length == 0 ? 0 : Values.Average(value => (double)value * value);
}

/// <summary>Checks of whole networks: against finite differences, and of one backend against another.</summary>
internal static class NetworkChecks
{
    private const double Step = 1e-7;
    private const int ProbesPerTensor = 12;

    /// <summary>A network with random weights and statistics that depend on <paramref name="seed"/> alone; the same on every
    /// backend.</summary>
    public static Network Create(NetworkGraph graph, IBackend backend, string seed)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(backend);
        var network = new Network(graph, backend);
        foreach (Parameter parameter in graph.Table.All)
        {
            var random = new SeededValues($"{seed}/{parameter.Name}");
            float fanIn = (float)parameter.Length / parameter.Spec.Dimensions[0];
            float[] values = parameter.Role switch
            {
                ParameterRole.NormalizationScale => random.Normal(parameter.Length, mean: 1, deviation: 0.3f),
                ParameterRole.RunningVariance => random.Uniform(parameter.Length, 0.5f, 1.5f),
                ParameterRole.ConvolutionWeight or ParameterRole.LinearWeight =>
                    random.Normal(parameter.Length, deviation: MathF.Sqrt(2 / fanIn)),
                _ => random.Normal(parameter.Length, deviation: 0.3f),
            };
            backend.Upload(values, network.Parameters.Slice(parameter));
        }
        network.Parameters.WeightsChanged();
        network.Parameters.StatisticsChanged();
        return network;
    }

    /// <summary>Fills the buffers of a batch size with random images in [0, 1] and labels.</summary>
    public static void FillBatch(Network network, int batch, string seed)
    {
        ArgumentNullException.ThrowIfNull(network);
        var random = new SeededValues($"{seed}/images");
        BatchBuffers buffers = network.Buffers(batch);
        network.Backend.Upload(random.Uniform(checked((int)buffers.Input.Length)), buffers.Input);
        network.Backend.Upload(random.Integers(batch, network.Graph.Classes), buffers.Labels);
    }

    /// <summary>Prunes random weights, but never all of one filter: what a normalisation makes of a constant is mostly rounding,
    /// which no two backends share.</summary>
    /// <param name="network">The network.</param>
    /// <param name="density">Share of the weights that is kept, about.</param>
    /// <param name="seed">What the pattern depends on.</param>
    public static void Prune(Network network, float density, string seed)
    {
        ArgumentNullException.ThrowIfNull(network);
        float[] draws = new SeededValues($"{seed}/masks").Uniform(network.Graph.Table.PrunableLength);
        float[] masks = Array.ConvertAll(draws, draw => draw < density ? 1f : 0f);
        foreach (Parameter parameter in network.Graph.Table.Prunable)
        {
            int filter = parameter.Length / parameter.Spec.Dimensions[0];
            for (int start = 0; start < parameter.Length; start += filter)
                masks[parameter.Offset + start + start / filter % filter] = 1;
        }
        network.Parameters.SetMasks(masks);
    }

    /// <summary>Forward pass, mean loss, and the backward pass if the plan has one.</summary>
    public static void Run(Plan plan, LossKind loss)
    {
        ArgumentNullException.ThrowIfNull(plan);
        plan.Forward();
        plan.Loss(loss, 1f / plan.Options.Batch);
        if (plan.Options.Gradients != GradientRequest.None)
            plan.Backward();
    }

    /// <summary>Compares the gradients that a plan asks for with central finite differences of its mean loss.</summary>
    /// <param name="network">A network on a <see cref="ReferenceBackend"/>, its batch filled.</param>
    /// <param name="options">Mode and gradients.</param>
    /// <param name="loss">The loss.</param>
    /// <returns>For each tensor, the largest error over the values probed, relative to the tensor's largest gradient (or a
    /// hundredth of the largest of all, where a gradient vanishes: a bias before a normalisation). Pruned weights are left
    /// out: their gradient is undefined.</returns>
    public static IReadOnlyList<Deviation> CompareWithFiniteDifferences(Network network, PlanOptions options, LossKind loss)
    {
        ArgumentNullException.ThrowIfNull(network);
        var backend = (ReferenceBackend)network.Backend;
        Plan plan = network.Plan(options);
        ParameterStore store = network.Parameters;
        Run(plan, loss);

        var probes = new List<Probe>();
        if (options.WantsInputGradient)
        {
            Tensor input = plan.Buffers.Input;
            probes.Add(new Probe(
                "input", backend.Values(input), backend.Values(plan.Buffers.InputGradient), null,
                values => backend.SetValues(input, values)));
        }
        foreach (Parameter parameter in options.WantsParameterGradients ? network.Graph.Table.Trained : [])
        {
            BufferSlice slice = store.Slice(parameter);
            probes.Add(new Probe(
                parameter.Name, backend.Values(slice), backend.Values(store.GradientSlice(parameter)),
                store.MaskSlice(parameter) is { } mask ? backend.Values(mask) : null,
                values =>
                {
                    backend.SetValues(slice, values);
                    store.WeightsChanged();
                }));
        }
        double largest = probes.Max(probe => probe.Largest);
        return [.. probes.Select(probe => new Deviation(probe.Name, Compare(probe)))];

        double Compare(Probe probe)
        {
            int[] indices = probe.Indices(ProbesPerTensor);
            double[] differences = FiniteDifferences.Gradient(probe.Values, probe.Store, MeanLoss, Step, indices);
            double error = indices.Select((index, i) => Math.Abs(probe.Gradient[index] - differences[i])).Max();
            return error / Math.Max(probe.Largest, 1e-2 * largest);
        }

        double MeanLoss()
        {
            plan.Forward();
            plan.Loss(loss, 1f / options.Batch);
            return backend.Sum(plan.Buffers.Losses.All) / options.Batch;
        }
    }

    /// <summary>Runs a plan and reads everything that comes out of it: logits, losses, gradients, running statistics. The
    /// gradients of pruned weights, which are undefined, read 0.</summary>
    public static IReadOnlyList<NetworkResult> Results(Network network, PlanOptions options, LossKind loss)
    {
        ArgumentNullException.ThrowIfNull(network);
        Plan plan = network.Plan(options);
        plan.Forward();
        var results = new List<NetworkResult> { new("logits", Download(network.Backend, plan.Logits), false) };
        plan.Loss(loss, 1f / options.Batch);
        if (options.Gradients != GradientRequest.None)
            plan.Backward();
        if (options.WantsFirstLayerApart)
            BackwardFirstLayerElsewhere(network, plan);
        results.Add(new("losses", Download(network.Backend, plan.Buffers.Losses.All), false));
        results.Add(new("correct", Download(network.Backend, plan.Buffers.Correct.All), false));
        if (options.WantsInputGradient)
            results.Add(new("gradient of the input", Download(network.Backend, plan.Buffers.InputGradient), false));
        ParameterStore store = network.Parameters;
        foreach (Parameter parameter in options.WantsParameterGradients ? network.Graph.Table.Trained : [])
        {
            float[] gradient = Download(network.Backend, store.GradientSlice(parameter));
            float[] mask = store.MaskSlice(parameter) is { } slice ? Download(network.Backend, slice) : [];
            for (int i = 0; i < mask.Length; i++)
                gradient[i] = mask[i] == 0 ? 0 : gradient[i];
            results.Add(new($"gradient of {parameter.Name}", gradient, true));
        }
        foreach (Parameter parameter in network.Graph.Table.Statistics)
            results.Add(new(parameter.Name, Download(network.Backend, store.Slice(parameter)), false));
        return results;
    }

    // At other images than those of the backward pass, which are put back.
    private static void BackwardFirstLayerElsewhere(Network network, Plan plan)
    {
        float[] images = Download(network.Backend, plan.Buffers.Input);
        network.Backend.Upload(Array.ConvertAll(images, value => 1 - value * value), plan.Buffers.Input);
        plan.BackwardFirstLayer();
        network.Backend.Upload(images, plan.Buffers.Input);
    }

    /// <summary>Compares what two backends got for the same network.</summary>
    /// <returns>For each result, Σ(a-b)² / Σb². A parameter's gradient that vanishes (a bias before a normalisation) is
    /// measured against a hundredth of the largest gradient of all.</returns>
    public static IReadOnlyList<Deviation> Compare(
        IReadOnlyList<NetworkResult> results, IReadOnlyList<NetworkResult> expected)
    {
        ArgumentNullException.ThrowIfNull(results);
        ArgumentNullException.ThrowIfNull(expected);
        if (!results.Select(result => result.Name).SequenceEqual(expected.Select(result => result.Name)))
            throw new ArgumentException("The results are those of different networks or plans.");
        double largest = expected.Where(result => result.IsParameterGradient).Select(result => result.MeanSquare)
            .DefaultIfEmpty().Max();
        return [.. results.Zip(expected, (a, b) => new Deviation(a.Name, SquaredError(a, b, 1e-4 * largest)))];
    }

    /// <summary>A tensor's values.</summary>
    public static float[] Download(IBackend backend, Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(backend);
        ArgumentNullException.ThrowIfNull(tensor);
        float[] values = new float[tensor.Length];
        backend.Download(tensor, values);
        return values;
    }

    /// <summary>A slice's values.</summary>
    public static float[] Download(IBackend backend, BufferSlice slice)
    {
        ArgumentNullException.ThrowIfNull(backend);
        float[] values = new float[slice.Length];
        backend.Download(slice, values);
        return values;
    }

    private static double SquaredError(NetworkResult a, NetworkResult b, double smallestMeanSquare)
    {
        double error = 0;
        for (int i = 0; i < b.Values.Length; i++)
            error += ((double)a.Values[i] - b.Values[i]) * ((double)a.Values[i] - b.Values[i]);
        double scale = b.IsParameterGradient ? Math.Max(b.MeanSquare, smallestMeanSquare) : b.MeanSquare;
        return error / Math.Max(scale * b.Values.Length, double.Epsilon);
    }

    private sealed record Probe(
        string Name, double[] Values, double[] Gradient, double[]? Mask, Action<double[]> Store)
    {
        public double Largest => Gradient.Where((_, i) => Mask is null || Mask[i] != 0).Select(Math.Abs).DefaultIfEmpty().Max();

        public int[] Indices(int count)
        {
            int[] kept = [.. Enumerable.Range(0, Values.Length).Where(i => Mask is null || Mask[i] != 0)];
            int[] drawn = new SeededValues($"{Name}/probes").Integers(count, kept.Length);
            return kept.Length <= count ? kept : [.. drawn.Distinct().Select(i => kept[i])];
        }
    }
}
