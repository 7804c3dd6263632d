using System.Text.Json;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Runs.Experiments.Nodes;

/// <summary>A piece of work that experiments share: a training, a ticket, a test. Two pieces with the same settings and the same
/// inputs have the same key and are one, whoever asks for them, so that it is computed once under a folder.</summary>
internal abstract class ExperimentNode
{
    private const int KeyLength = 16;

    /// <summary>Describes the work.</summary>
    /// <param name="kind">What kind of work it is, in one word: part of its folder's name.</param>
    /// <param name="label">What it is, for people.</param>
    /// <param name="seed">Seed that everything random follows from.</param>
    /// <param name="settings">Everything besides the inputs that decides the result; serialised for the key.</param>
    /// <param name="inputs">What must be done before.</param>
    protected ExperimentNode(string kind, string label, ulong seed, object settings, params IReadOnlyList<ExperimentNode> inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        Kind = kind;
        Label = label;
        Seed = seed;
        Inputs = inputs;
        Description = new NodeDescription(kind, label, seed, [.. inputs.Select(input => input.Name)],
            JsonSerializer.SerializeToElement(settings, RunJson.Compact));
        // The label is for people and may be reworded; what the program learned to set later leaves the keys of others alone.
        NodeDescription counts = Description with { Label = "", Settings = SettingsIdentity.Of(settings) };
        Key = CanonicalJson.Hash(JsonSerializer.SerializeToElement(counts, RunJson.Compact))[..KeyLength];
    }

    /// <summary>What kind of work it is.</summary>
    public string Kind { get; }

    /// <summary>What it is, for people.</summary>
    public string Label { get; }

    /// <summary>The seed.</summary>
    public ulong Seed { get; }

    /// <summary>What must be done before.</summary>
    public IReadOnlyList<ExperimentNode> Inputs { get; }

    /// <summary>Hash of settings and inputs, lower-case hexadecimal.</summary>
    public string Key { get; }

    /// <summary>Name of its folder.</summary>
    public string Name => $"{Kind}-{Key}";

    /// <summary>What its folder says of it.</summary>
    internal NodeDescription Description { get; }

    /// <summary>Whether its result is kept in a store.</summary>
    internal bool IsDone(ExperimentStore store) => File.Exists(store.Result(this));

    /// <summary>Does the work and keeps its result; continues what an interruption left.</summary>
    /// <exception cref="OperationCanceledException">It was asked to stop, and saved how far it is.</exception>
    internal abstract void Execute(NodeContext context);

    /// <summary>Its cost.</summary>
    internal abstract NodeCost Cost(NodeContext context);
}

/// <summary>A piece of work with a result.</summary>
/// <typeparam name="TResult">What is kept of it besides files of weights.</typeparam>
internal abstract class ExperimentNode<TResult> : ExperimentNode
{
    /// <inheritdoc/>
    protected ExperimentNode(string kind, string label, ulong seed, object settings, params IReadOnlyList<ExperimentNode> inputs)
        : base(kind, label, seed, settings, inputs)
    {
    }

    /// <inheritdoc/>
    internal sealed override void Execute(NodeContext context)
    {
        if (!IsDone(context.Store))
        {
            AtomicFile.WriteAllText(context.Store.Description(this), RunJson.Write(Description));
            AtomicFile.WriteAllText(context.Store.Result(this), RunJson.Write(Compute(context)));
        }
        // The process may have ended between the two.
        CleanUp(context);
    }

    /// <summary>The result that a store keeps.</summary>
    /// <exception cref="DamagedFileException">Its file is damaged.</exception>
    internal TResult Read(ExperimentStore store) =>
        RunJson.Read<TResult>(StoredFiles.ReadText(store.Result(this)), store.Result(this));

    private protected abstract TResult Compute(NodeContext context);

    /// <summary>Removes what is not needed once the result is kept.</summary>
    private protected virtual void CleanUp(NodeContext context)
    {
    }
}

/// <summary>What the folder of a piece of work says of it.</summary>
/// <param name="Kind">Kind of work.</param>
/// <param name="Label">What it is.</param>
/// <param name="Seed">The seed.</param>
/// <param name="Inputs">Folders of its inputs.</param>
/// <param name="Settings">What else decides the result.</param>
internal sealed record NodeDescription(string Kind, string Label, ulong Seed, IReadOnlyList<string> Inputs, JsonElement Settings);
