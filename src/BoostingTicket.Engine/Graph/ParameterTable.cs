namespace BoostingTicket.Engine.Graph;

/// <summary>Which flat buffer a parameter lives in.</summary>
internal enum ParameterSection
{
    /// <summary>Trained by the optimizer.</summary>
    Trained,

    /// <summary>Running statistics.</summary>
    Statistics,
}

/// <summary>A named, shaped slice of a flat buffer.</summary>
/// <param name="Name">Full name, as in the PyTorch model: <c>layer1.0.conv1.weight</c>.</param>
/// <param name="Spec">Shape and role.</param>
/// <param name="Section">Buffer.</param>
/// <param name="Offset">Index of the first value in that buffer.</param>
internal sealed record Parameter(string Name, ParameterSpec Spec, ParameterSection Section, int Offset)
{
    /// <summary>Values.</summary>
    public int Length => Spec.Length;

    /// <summary>What it is.</summary>
    public ParameterRole Role => Spec.Role;

    /// <summary>Whether single weights of it may be pruned.</summary>
    public bool Prunable => Spec.Prunable;
}

/// <summary>Every parameter of a graph and its place in the flat buffers. Trained parameters are ordered so that each
/// range an optimizer treats alike is contiguous: prunable weights, other weights, then biases and normalisation.</summary>
internal sealed class ParameterTable
{
    private readonly Dictionary<string, Parameter> _byName;

    internal ParameterTable(IEnumerable<Node> nodes)
    {
        var declared = new List<(string Name, ParameterSpec Spec)>();
        foreach (Node node in nodes)
        {
            if (node.Layer is { } layer)
                foreach (ParameterSpec spec in layer.Parameters(node.Inputs[0].Shape))
                    declared.Add(($"{node.Name}.{spec.LocalName}", spec));
        }

        var placed = new Dictionary<string, Parameter>(StringComparer.Ordinal);
        int trained = 0, statistics = 0;
        foreach (int group in (int[])[0, 1, 2, 3])
        {
            foreach ((string name, ParameterSpec spec) in declared.Where(item => Group(item.Spec) == group))
            {
                bool statistic = group == 3;
                ref int end = ref statistic ? ref statistics : ref trained;
                placed.Add(name, new Parameter(
                    name, spec, statistic ? ParameterSection.Statistics : ParameterSection.Trained, end));
                end = checked(end + spec.Length);
            }
            if (group == 0)
                PrunableLength = trained;
            if (group == 1)
                WeightLength = trained;
        }
        TrainedLength = trained;
        StatisticsLength = statistics;
        All = [.. declared.Select(item => placed[item.Name])];
        _byName = placed;
    }

    /// <summary>All parameters and statistics in graph order.</summary>
    public IReadOnlyList<Parameter> All { get; }

    /// <summary>Trained parameters in graph order.</summary>
    public IEnumerable<Parameter> Trained => All.Where(parameter => parameter.Section == ParameterSection.Trained);

    /// <summary>Prunable parameters in graph order, which is also their order in the flat buffer.</summary>
    public IEnumerable<Parameter> Prunable => All.Where(parameter => parameter.Prunable);

    /// <summary>Running statistics in graph order.</summary>
    public IEnumerable<Parameter> Statistics => All.Where(parameter => parameter.Section == ParameterSection.Statistics);

    /// <summary>Trained values: the model's parameter count.</summary>
    public int TrainedLength { get; }

    /// <summary>The first values of the trained buffer are the prunable ones; so many.</summary>
    public int PrunableLength { get; }

    /// <summary>The first values of the trained buffer are weights of convolutions and linear layers; so many.</summary>
    public int WeightLength { get; }

    /// <summary>Values of all running statistics.</summary>
    public int StatisticsLength { get; }

    /// <summary>The parameter of a full name.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public Parameter this[string name] => _byName.TryGetValue(name, out Parameter? parameter)
        ? parameter
        : throw new KeyNotFoundException($"The model has no parameter {name}.");

    /// <summary>The parameter of a full name, or null.</summary>
    public Parameter? Find(string name) => _byName.GetValueOrDefault(name);

    private static int Group(ParameterSpec spec) => spec.Role switch
    {
        ParameterRole.ConvolutionWeight or ParameterRole.LinearWeight => spec.Prunable ? 0 : 1,
        ParameterRole.RunningMean or ParameterRole.RunningVariance => 3,
        _ => 2,
    };
}
