namespace BoostingTicket.Fuzz.Mutation;

/// <summary>Makes an input out of a corpus: bytes, numbers at limits, splices, and by form what the format is made of.</summary>
/// <param name="random">Decides everything.</param>
internal sealed class Mutator(Random random)
{
    private const int MostBytes = 1 << 17;

    /// <summary>A mutated input.</summary>
    /// <param name="form">What inputs are made of.</param>
    /// <param name="corpus">Inputs to start from, at least one.</param>
    public byte[] Mutate(InputForm form, IReadOnlyList<byte[]> corpus)
    {
        ArgumentNullException.ThrowIfNull(corpus);
        byte[] input = corpus[random.Next(corpus.Count)];
        if (random.Next(12) == 0)
            input = ByteMutations.Splice(input, corpus[random.Next(corpus.Count)], random);
        int times = 1 + (random.Next(3) == 0 ? random.Next(6) : 0);
        for (int i = 0; i < times; i++)
        {
            byte[] mutated = Once(form, input);
            if (mutated.Length <= MostBytes)
                input = mutated;
        }

        return input;
    }

    private byte[] Once(InputForm form, byte[] input) => form switch
    {
        _ when random.Next(5) == 0 => ByteMutations.Apply(input, random),
        InputForm.Json => JsonMutations.Apply(input, random),
        InputForm.TaggedJson => Tagged(input),
        InputForm.Safetensors => SafetensorsMutations.Apply(input, random),
        InputForm.Tar => TarMutations.Apply(input, random),
        InputForm.TarGzip => GzipMutations.Apply(input, random, content => TarMutations.Apply(content, random)),
        InputForm.Gzip => GzipMutations.Apply(input, random, content => ByteMutations.Apply(content, random)),
        InputForm.Words => WordMutations.Apply(input, random),
        _ => ByteMutations.Apply(input, random),
    };

    private byte[] Tagged(byte[] input) =>
        input.Length == 0 ? input : [random.Next(30) == 0 ? (byte)random.Next(256) : input[0],
            .. JsonMutations.Apply(input[1..], random)];
}
