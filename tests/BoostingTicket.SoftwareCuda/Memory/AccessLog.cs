using System.Runtime.InteropServices;

namespace BoostingTicket.SoftwareCuda.Memory;

/// <summary>The histories of a range of memory: one for each aligned word of four bytes, and one for each byte of the words that
/// were ever accessed in parts. Host memory is taken for what is accessed only.</summary>
internal sealed unsafe class AccessLog
{
    private const int ChunkBits = 10;
    private const int ChunkWords = 1 << ChunkBits;

    private readonly nint[] _words;
    private nint[]? _bytes;

    /// <summary>Histories of a range of bytes.</summary>
    public AccessLog(long bytes) => _words = new nint[(bytes + (4 * ChunkWords) - 1) / (4 * ChunkWords)];

    /// <summary>History of a word; those of the words behind it follow, up to the next multiple of 16 bytes at least.</summary>
    public AccessHistory* Word(long word) => Chunk(_words, word >> ChunkBits, ChunkWords) + (word & (ChunkWords - 1));

    /// <summary>Histories of a word's four bytes.</summary>
    public AccessHistory* Bytes(long word) =>
        Chunk(_bytes ??= new nint[_words.Length], word >> ChunkBits, 4 * ChunkWords) + (4 * (word & (ChunkWords - 1)));

    /// <summary>Gives a word's bytes histories of their own, which begin as the word's.</summary>
    public void Split(long word)
    {
        AccessHistory* whole = Word(word), parts = Bytes(word);
        for (int i = 0; i < 4; i++)
            parts[i] = *whole;
        whole->Writer.Who = Access.Split;
    }

    /// <summary>Gives the host's memory back.</summary>
    public void Free()
    {
        Free(_words);
        if (_bytes is not null)
            Free(_bytes);
    }

    private static void Free(nint[] chunks)
    {
        for (int i = 0; i < chunks.Length; i++)
        {
            NativeMemory.Free((void*)chunks[i]);
            chunks[i] = 0;
        }
    }

    private static AccessHistory* Chunk(nint[] chunks, long chunk, int count)
    {
        if (chunks[chunk] == 0)
            chunks[chunk] = (nint)NativeMemory.AllocZeroed((nuint)count, (nuint)sizeof(AccessHistory));
        return (AccessHistory*)chunks[chunk];
    }
}
