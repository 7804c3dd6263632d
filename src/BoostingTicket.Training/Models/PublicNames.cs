namespace BoostingTicket.Training.Models;

/// <summary>How public code names what this program names otherwise.</summary>
/// <param name="Names">Their text and ours: one that begins with a dot lies anywhere in a name, any other begins it. Applied in
/// order.</param>
internal sealed record NameDialect(params IReadOnlyList<(string Theirs, string Ours)> Names);

/// <summary>Tensors that public code keeps in its files and never uses.</summary>
/// <param name="Start">What their names begin with, the file's prefix taken off.</param>
/// <param name="Kind">What the repair of leaving them out is called.</param>
/// <param name="Repair">What to say when they are left out, a sentence.</param>
internal sealed record UnusedTensors(string Start, string Kind, string Repair);

/// <summary>How the tensors of an exported network are named, after public code whose models have them.</summary>
/// <param name="Name">Name on the command line.</param>
/// <param name="Description">Whose code it fits, in one line.</param>
internal sealed record ExportStyle(string Name, string Description)
{
    /// <summary>The name of a parameter there.</summary>
    public Func<string, string> Rename { get; init; } = name => name;

    /// <summary>Whether it is for a model of its family; that code has to compute what the model computes.</summary>
    public Func<string, bool> IsFor { get; init; } = _ => true;

    /// <summary>Whether it has tensors for a normalisation of images, behind which the network then stands as
    /// <c>model</c>.</summary>
    public bool HoldsNormalization { get; init; }

    /// <summary>What names begin with whose tensors it holds a second time, unused, and what the copies' names begin with; null
    /// for nothing.</summary>
    public (string Of, string Copy)? HoldsCopy { get; init; }
}

/// <summary>How public code names the tensors of a family's models, and what else its files hold.</summary>
internal sealed record PublicNames
{
    /// <summary>Names of nobody but this program.</summary>
    public static PublicNames None { get; } = new();

    /// <summary>How names of files are translated that are imported.</summary>
    public IReadOnlyList<NameDialect> Dialects { get; init; } = [];

    /// <summary>How names can be translated that are exported.</summary>
    public IReadOnlyList<ExportStyle> Styles { get; init; } = [];

    /// <summary>What imports leave out.</summary>
    public IReadOnlyList<UnusedTensors> Unused { get; init; } = [];

    /// <summary>A name that begins otherwise.</summary>
    internal static string ReplaceStart(string name, string ours, string theirs) =>
        name.StartsWith(ours, StringComparison.Ordinal) ? theirs + name[ours.Length..] : name;
}
