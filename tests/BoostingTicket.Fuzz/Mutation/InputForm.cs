namespace BoostingTicket.Fuzz.Mutation;

/// <summary>What an input is made of, so that mutations get past the first check of its reader.</summary>
internal enum InputForm
{
    /// <summary>Bytes.</summary>
    Binary,

    /// <summary>A JSON document.</summary>
    Json,

    /// <summary>A byte that chooses, then a JSON document.</summary>
    TaggedJson,

    /// <summary>A safetensors file: the header is JSON of which strings may be JSON again, lengths and checksums are
    /// repaired.</summary>
    Safetensors,

    /// <summary>A tar archive, checksums of headers repaired.</summary>
    Tar,

    /// <summary>A tar archive in gzip.</summary>
    TarGzip,

    /// <summary>A gzip file.</summary>
    Gzip,

    /// <summary>Words, one a line.</summary>
    Words,
}
