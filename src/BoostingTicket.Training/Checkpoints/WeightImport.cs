using System.Globalization;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Checkpoints;

/// <summary>What is known about a file to import.</summary>
/// <param name="Model">Name of the model; null to tell it by the tensors.</param>
/// <param name="ImageSize">Rows and columns of its images; null for the usual of the model.</param>
/// <param name="Prefix">What the names of the network's tensors begin with; null to find it.</param>
/// <param name="Normalization">What the network normalises images by.</param>
/// <param name="NormalizationGiven">Whether <paramref name="Normalization"/>, null for none, counts; otherwise the file's
/// does.</param>
internal sealed record ImportOptions(
    string? Model = null, int? ImageSize = null, string? Prefix = null, InputNormalizationConstants? Normalization = null,
    bool NormalizationGiven = false);

/// <summary>What an import changed about a file.</summary>
/// <param name="Kind">What it is called: <c>prefix</c>, <c>renamed</c>, <c>counters</c>, <c>unused-block</c>, <c>beside</c>,
/// <c>outside</c>, <c>channels</c>, <c>pruned</c>, <c>converted</c>, <c>normalization</c> or
/// <c>pixel-scale</c>.</param>
/// <param name="Description">What was done, in one sentence.</param>
/// <param name="Tensors">The tensors, as the file names them.</param>
internal sealed record ImportRepair(string Kind, string Description, IReadOnlyList<string> Tensors);

/// <summary>A network out of a file of another program.</summary>
/// <param name="Graph">The model.</param>
/// <param name="State">Weights and statistics.</param>
/// <param name="Normalization">What it normalises images by; null for nothing.</param>
/// <param name="Repairs">Everything that was changed, in the order of the work.</param>
internal sealed record ImportedWeights(
    NetworkGraph Graph, ModelState State, InputNormalizationConstants? Normalization, IReadOnlyList<ImportRepair> Repairs);

/// <summary>Reads networks out of safetensors files that PyTorch programs wrote, with the repairs that public checkpoints need:
/// prefixes of wrappers, names of other repositories' models, counters, unused blocks, constants of normalisation wrappers, masks
/// of <c>torch.nn.utils.prune</c>, what belongs to the training and not to the network, other number formats.</summary>
internal static class WeightImport
{
    /// <summary>Key of the model's name in the metadata of exported files.</summary>
    internal const string ModelKey = "model";

    private const int Shown = 5;
    private const string MeanKey = "normalization.mean", DeviationKey = "normalization.deviation";

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">What is known about it.</param>
    /// <exception cref="ConfigurationException">There is no such file or model, this program wrote the file, or it holds several
    /// networks.</exception>
    /// <exception cref="DamagedFileException">It is damaged, or a tensor is missing, surplus, or not what the model
    /// needs.</exception>
    public static ImportedWeights Read(string path, ImportOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        if (ModelFileMetadata.KindOf(file.Metadata, path) != FileKind.Other)
            throw new ConfigurationException($"{path} is a file of this program; it needs no import.");
        var pruned = new PrunedTensors(file);
        string? recognized = PyTorchNames.Recognize(pruned.Shapes);
        string model = options.Model ?? recognized ?? ModelOf(file)
            ?? throw new ConfigurationException(
                $"The tensors of {path} fit no known model; name the model with {Setting.Named("model")} to see what is missing, "
                + "or to read a network from which channels were pruned.");
        // Another model, whole, is no narrow one.
        return new Reading(file, pruned, options, narrows: recognized is null).Read(model);
    }

    /// <summary>Whether a file of another program holds the constants of a normalisation of images, which the weights need in
    /// front of them.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ConfigurationException">There is no such file.</exception>
    /// <exception cref="DamagedFileException">It is damaged.</exception>
    public static bool HoldsNormalization(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        return file.Metadata.ContainsKey(MeanKey)
            || (file.Tensors.Any(entry => PyTorchNames.IsMean(entry.Name)) && file.Tensors.Any(entry => PyTorchNames.IsDeviation(
                entry.Name)));
    }

    /// <summary>Constants as metadata of exported files carry them.</summary>
    internal static IEnumerable<KeyValuePair<string, string>> ToPairs(InputNormalizationConstants normalization) =>
    [
        new(MeanKey, Join(normalization.Mean)),
        new(DeviationKey, Join(normalization.Deviation)),
    ];

    /// <summary>Numbers as text that reads back as the same.</summary>
    internal static string Join(IEnumerable<float> values) =>
        string.Join(',', values.Select(value => value.ToString("R", CultureInfo.InvariantCulture)));

    // Networks of fewer channels are not known by their tensors.
    private static string? ModelOf(SafetensorsFile file)
    {
        if (!file.Metadata.TryGetValue(ModelKey, out string? name))
            return null;
        try
        {
            ModelCatalog.Describe(name);
            return name;
        }
        catch (ConfigurationException)
        {
            // Another program's word.
            return null;
        }
    }

    private sealed class Reading(SafetensorsFile file, PrunedTensors pruned, ImportOptions options, bool narrows)
    {
        private readonly List<ImportRepair> _repairs = [];

        public ImportedWeights Read(string model)
        {
            NetworkGraph graph = Graph(model, normalization: null);
            string[] names = [.. pruned.Shapes.Keys];
            HashSet<string> wanted = [.. graph.Table.All.Select(parameter => parameter.Name)];
            (IReadOnlyList<string> prefixes, Dictionary<string, string> found) = PyTorchNames.Match(
                names, wanted, options.Prefix);
            if (found.Count == wanted.Count && prefixes.Count > 1)
                throw new ConfigurationException(
                    $"{file.Path} holds {prefixes.Count} networks of the model {graph.Name}; choose one with "
                    + $"{Setting.Named("prefix")}, one of {string.Join(", ", prefixes.Select(name => $"'{name}'"))}.");
            string prefix = prefixes[0];
            List<string> surplus = [.. names.Except(found.Values, StringComparer.Ordinal).Order(StringComparer.Ordinal)];
            InputNormalizationConstants? ofFile = TakeOut(surplus, prefix);
            string[] missing = [.. wanted.Where(name => !found.ContainsKey(name)).Order(StringComparer.Ordinal)];
            if (missing.Length + surplus.Count > 0)
                throw Differs(graph, missing, [
                    .. surplus.Select(name => name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : name)]);

            if (prefix.Length > 0)
                Report("prefix", $"The prefix '{prefix}' was taken off the names.", found.Values);
            ReportRenamed(found, prefix);
            InputNormalizationConstants? normalization = Choose(ofFile);
            graph = Fit(graph, found, normalization);
            return new ImportedWeights(graph, ReadState(graph, found), normalization, _repairs);
        }

        // Names and shapes depend on the numbers of channels and classes alone, which the first and the last layer tell.
        private NetworkGraph Graph(
            string model, InputNormalizationConstants? normalization, int? channels = null, int classes = 10)
        {
            FeatureShape usual = ModelCatalog.Describe(model).Input;
            int count = channels ?? usual.Channels;
            int size = options.ImageSize ?? (count == 1 ? 28 : 32);
            return ModelCatalog.Build(model, new ModelOptions(new FeatureShape(count, size, size), classes, normalization));
        }

        private NetworkGraph Fit(NetworkGraph graph, Dictionary<string, string> found, InputNormalizationConstants? normalization)
        {
            Parameter first = graph.Table.All.First(parameter => parameter.Role == ParameterRole.ConvolutionWeight);
            Parameter last = graph.Table.All.Last(parameter => parameter.Role == ParameterRole.LinearWeight);
            IReadOnlyList<long> stem = Entry(found[first.Name]).Shape, head = Entry(found[last.Name]).Shape;
            int channels = stem.Count == 4 ? (int)Math.Clamp(stem[1], 1, 1 << 16) : first.Spec.Dimensions[1];
            int classes = head.Count == 2 ? (int)Math.Clamp(head[0], 2, 1 << 20) : graph.Classes;
            if (normalization is not null && normalization.Mean.Count != channels)
                throw new ConfigurationException(
                    $"The normalisation of {file.Path} has {normalization.Mean.Count} channels, but the network's images have "
                    + $"{channels}; give others with {Setting.Named("normalization")}.");
            NetworkGraph full = Graph(graph.Name, normalization, channels, classes);
            return narrows ? Narrow(full, found) : full;
        }

        // The first layer that makes a group's channels tells how many there are. Shapes that do not agree with it are refused
        // later, by name.
        private NetworkGraph Narrow(NetworkGraph full, Dictionary<string, string> found)
        {
            List<ChannelGroup> groups = [.. ChannelGroups.Of(full).All];
            string[] tensors = [.. groups.Select(group => found[$"{group.Name}.weight"])];
            NetworkGraph narrow = full.Narrow([.. groups.Zip(tensors, Channels)]);
            if (narrow != full)
            {
                Report(
                    "channels", string.Create(
                        CultureInfo.InvariantCulture,
                        $"Layers have fewer channels than those of {full.Name}, as a ticket of whole channels has: "
                        + $"{100.0 * narrow.MultiplyAdds / full.MultiplyAdds:F1} % of its multiply-adds."),
                    tensors.Where((tensor, index) => Channels(groups[index], tensor) < groups[index].Channels));
            }
            return narrow;
        }

        private int Channels(ChannelGroup group, string tensor) =>
            Entry(tensor).Shape is [var outputs, ..] && outputs >= 1 && outputs < group.Channels ? (int)outputs : group.Channels;

        private ModelState ReadState(NetworkGraph graph, Dictionary<string, string> found)
        {
            // Before memory is asked for, which a small file of the right names could make large.
            foreach (Parameter parameter in graph.Table.All)
                ModelFileReader.RequireShape(Entry(found[parameter.Name]), parameter, SafetensorsType.F32, file.Path, graph.Name);
            var state = new ModelState(graph.Table);
            var converted = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
            foreach (Parameter parameter in graph.Table.All)
            {
                SafetensorsEntry entry = Entry(found[parameter.Name]);
                Span<float> values = state[parameter];
                file.ReadSingles(entry, values);
                pruned.Apply(found[parameter.Name], values);
                ModelFileReader.RequireValues(parameter, values, entry.Name, file.Path);
                if (entry.Type == SafetensorsType.F32)
                    continue;
                if (!converted.TryGetValue(entry.TypeName, out List<string>? list))
                    converted.Add(entry.TypeName, list = []);
                list.Add(entry.Name);
            }
            if (pruned.Describe() is { } masks)
                Report("pruned", masks, pruned.Masks.Select(pair => pair.Mask));
            foreach ((string type, List<string> list) in converted)
                Report("converted", $"Tensors of type {type} were converted to F32{(type == "F64" ? ", rounded" : "")}.", list);
            return state;
        }

        // Removes from the surplus what is known to be needless.
        private InputNormalizationConstants? TakeOut(List<string> surplus, string prefix)
        {
            Take(surplus, "counters", "Counters of batches, which training here does not need, were ignored.",
                PyTorchNames.IsCounter);
            foreach (UnusedTensors unused in PyTorchNames.Unused)
            {
                Take(
                    surplus, unused.Kind, unused.Repair,
                    name => name.StartsWith(prefix, StringComparison.Ordinal)
                        && PyTorchNames.UnusedBlock(name[prefix.Length..]) == unused);
            }
            string? mean = surplus.FirstOrDefault(PyTorchNames.IsMean),
            deviation = surplus.FirstOrDefault(PyTorchNames.IsDeviation);
            InputNormalizationConstants? constants = null;
            if (mean is not null && deviation is not null)
            {
                constants = Constants(Values(mean), Values(deviation));
                string used = options.NormalizationGiven
                    ? constants.ContentEquals(options.Normalization) ? "are those that were given"
                        : "were ignored for those that were given"
                    : "became the network's first layer";
                Report("normalization",
                    $"The constants of the file's normalisation, mean {Join(constants.Mean)} and deviation "
                    + $"{Join(constants.Deviation)}, {used}.", [mean, deviation]);
                surplus.RemoveAll(name => name == mean || name == deviation);
            }
            else if (file.Metadata.TryGetValue(MeanKey, out string? means)
                && file.Metadata.TryGetValue(DeviationKey, out string? deviations))
            {
                constants = Constants(Parse(means), Parse(deviations));
            }
            Take(
                surplus, "beside", "Tensors that do not belong to a network, such as the state of an optimizer, were ignored.",
                name => PyTorchNames.IsBeside(name, Entry(name).Length));
            if (options.Prefix is { } asked)
                Take(surplus, "outside", $"Tensors that do not begin with '{asked}' were ignored.", name => !name.StartsWith(
                    asked, StringComparison.Ordinal));
            return constants;
        }

        private InputNormalizationConstants? Choose(InputNormalizationConstants? ofFile)
        {
            if (options.NormalizationGiven || ofFile is null || ofFile.AreForUnitPixels)
                return options.NormalizationGiven ? options.Normalization : ofFile;
            InputNormalizationConstants converted = ofFile.FromBytePixels ?? throw new DamagedFileException(
                $"The normalisation of {file.Path}, mean {Join(ofFile.Mean)} and deviation "
                + $"{Join(ofFile.Deviation)}, is neither for images in [0, 1] "
                + $"nor for images of 0 to 255; give the right one with {Setting.Named("normalization")}.");
            Report(
                "pixel-scale",
                "The normalisation is for images of 0 to 255; images are in [0, 1] here, so that its constants were divided "
                    + $"by 255: mean {Join(converted.Mean)}, "
                + $"deviation {Join(converted.Deviation)}.", []);
            return converted;
        }

        private InputNormalizationConstants Constants(float[] mean, float[] deviation)
        {
            try
            {
                return new InputNormalizationConstants(mean, deviation);
            }
            catch (ArgumentException cause)
            {
                throw new DamagedFileException(
                    $"The constants of normalisation in {file.Path} cannot be used ({cause.Message}); give others with "
                    + $"{Setting.Named("normalization")}.", cause);
            }
        }

        private float[] Parse(string values) =>
            [.. values.Split(',').Select(
                value => float.TryParse(value, CultureInfo.InvariantCulture, out float number) ? number : float.NaN)];

        private float[] Values(string name)
        {
            SafetensorsEntry entry = Entry(name);
            float[] values = new float[entry.Length];
            file.ReadSingles(entry, values);
            return values;
        }

        private void Take(List<string> surplus, string kind, string description, Func<string, bool> isSuch)
        {
            string[] taken = [.. surplus.Where(isSuch)];
            if (taken.Length == 0)
                return;
            surplus.RemoveAll(new HashSet<string>(taken, StringComparer.Ordinal).Contains);
            Report(kind, description, taken);
        }

        private void ReportRenamed(Dictionary<string, string> found, string prefix)
        {
            string[] renamed = [.. found.Where(pair => pair.Value != prefix + pair.Key).Select(pair => pair.Value)];
            if (renamed.Length == 0)
                return;
            (string example, string theirs) = found.Where(pair => pair.Value != prefix + pair.Key).OrderBy(
                pair => pair.Key, StringComparer.Ordinal)
                .Select(pair => (pair.Key, pair.Value)).First();
            Report("renamed", $"Tensors were renamed, such as '{theirs[prefix.Length..]}' to '{example}'.", renamed);
        }

        private void Report(string kind, string description, IEnumerable<string> tensors) =>
            _repairs.Add(new ImportRepair(kind, description, [.. tensors.Order(StringComparer.Ordinal)]));

        private SafetensorsEntry Entry(string name) => pruned.Values(name);

        private DamagedFileException Differs(NetworkGraph graph, string[] missing, string[] surplus)
        {
            string lacks = missing.Length == 0 ? "" : $"lacks {List(missing, surplus)}";
            string has = surplus.Length == 0 ? "" : $"has besides {List(surplus, missing)}";
            return new DamagedFileException(
                $"{file.Path} {lacks}{(lacks.Length > 0 && has.Length > 0 ? " and " : "")}{has} for the model {graph.Name}; "
                + $"choose another {Setting.Named("model")} or file.");
        }

        private static string List(string[] names, string[] others)
        {
            string list = string.Join(", ", names.Take(Shown).Select(
                name => NearestName.Find(name, others) is { } near ? $"'{name}' (nearest '{near}')" : $"'{name}'"));
            return names.Length > Shown
                ? string.Create(CultureInfo.InvariantCulture, $"{list} and {names.Length - Shown} more")
                : list;
        }
    }
}
