using BoostingTicket.Fuzz.Mutation;

namespace BoostingTicket.Fuzz;

/// <summary>A format of files, or the command line, and the code of the program that reads it.</summary>
internal abstract class FuzzTarget : IDisposable
{
    /// <summary>Bytes of the graph of the deepest network that a name can mean, <c>wrn-1000-10</c>; 4.3 million were counted.
    /// A name of eleven characters may make a reader build it.</summary>
    private protected const long DeepestGraph = 5 << 20;

    /// <summary>Bytes of what a reader allocates besides.</summary>
    private protected const long Besides = 1 << 20;

    private IReadOnlyList<byte[]>? _corpus;
    private Scratch? _scratch;

    /// <summary>Its name on the command line.</summary>
    public abstract string Name { get; }

    /// <summary>How its inputs are mutated.</summary>
    public abstract InputForm Form { get; }

    /// <summary>Share of all executions when every target runs: cheap ones take more.</summary>
    public virtual int Weight => 10;

    /// <summary>Bytes that the code under test allocates whatever the input: tables, buffers, what a report is made of.</summary>
    public virtual long FixedBytes => Besides;

    /// <summary>Whether the reader takes what is whole of an input and refuses none.</summary>
    public virtual bool RefusesNone => false;

    /// <summary>Good inputs, and bad ones that were found before.</summary>
    public IReadOnlyList<byte[]> Corpus => _corpus ??= [.. Seeds()];

    /// <summary>A folder for readers that want a path.</summary>
    private protected Scratch Scratch => _scratch ??= new Scratch();

    /// <summary>Makes the corpus.</summary>
    protected abstract IEnumerable<byte[]> Seeds();

    /// <summary>Reads an input. A refusal is one of the program's own exceptions; any other is a failure.</summary>
    /// <exception cref="Training.BoostingTicketException">The input is refused.</exception>
    public abstract void Execute(byte[] input);

    /// <summary>Removes what the target keeps.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Removes what the target keeps.</summary>
    protected virtual void Dispose(bool disposing) => _scratch?.Dispose();
}
