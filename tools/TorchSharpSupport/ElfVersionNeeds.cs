using System.Buffers.Binary;
using System.Text;

namespace BoostingTicket.TorchSharpSupport;

/// <summary>The symbol versions that a little-endian 64-bit ELF shared library needs of others (<c>.gnu.version_r</c>).</summary>
internal sealed class ElfVersionNeeds
{
    private const uint RelocationSection = 4;
    private const uint VersionNeedSection = 0x6ffffffe;
    private const uint VersionSymbolSection = 0x6fffffff;
    private const int RelocationSize = 24;

    private readonly byte[] _library;
    private readonly List<Section> _sections = [];

    /// <summary>Reads the section headers of <paramref name="library"/>, the bytes of the file.</summary>
    public ElfVersionNeeds(byte[] library)
    {
        _library = library;
        int headers = (int)Int64(0x28);
        int size = UInt16(0x3a);
        for (int i = 0; i < UInt16(0x3c); i++)
        {
            int header = headers + i * size;
            _sections.Add(new(
                UInt32(header + 4), (int)Int64(header + 0x18), (int)Int64(header + 0x20), (int)UInt32(header + 0x28)));
        }
    }

    /// <summary>The need of the version <paramref name="name"/>, or null when the library has none.</summary>
    public Need? Find(string name)
    {
        if (_sections.Find(s => s.Type == VersionNeedSection) is not { } needs)
            return null;
        int names = _sections[needs.Link].Offset;
        int file = needs.Offset;
        while (true)
        {
            int entry = file + (int)UInt32(file + 8);
            for (int k = UInt16(file + 2); k > 0; k--)
            {
                if (Text(names + (int)UInt32(entry + 8)) == name)
                    return new(entry + 4, UInt16(entry + 4), UInt16(entry + 6));
                entry += (int)UInt32(entry + 12);
            }
            int next = (int)UInt32(file + 12);
            if (next == 0)
                return null;
            file += next;
        }
    }

    /// <summary>Whether a relocation refers to a symbol of the needed version.</summary>
    public bool IsUsed(Need need)
    {
        if (_sections.Find(s => s.Type == VersionSymbolSection) is not { } versions)
            return true;
        foreach (Section relocations in _sections.Where(s => s.Type == RelocationSection && s.Link == versions.Link))
            for (int r = relocations.Offset; r < relocations.Offset + relocations.Length; r += RelocationSize)
            {
                int symbol = (int)(Int64(r + 8) >>> 32);
                if ((UInt16(versions.Offset + 2 * symbol) & 0x7fff) == need.Version)
                    return true;
            }
        return false;
    }

    private ushort UInt16(int at) => BinaryPrimitives.ReadUInt16LittleEndian(_library.AsSpan(at));

    private uint UInt32(int at) => BinaryPrimitives.ReadUInt32LittleEndian(_library.AsSpan(at));

    private long Int64(int at) => BinaryPrimitives.ReadInt64LittleEndian(_library.AsSpan(at));

    private string Text(int at) => Encoding.ASCII.GetString(_library, at, Array.IndexOf(_library, (byte)0, at) - at);

    private sealed record Section(uint Type, int Offset, int Length, int Link);

    /// <summary>One needed version: where its flags lie in the file, the flags, and the index that symbols name it by.</summary>
    internal sealed record Need(int FlagsOffset, ushort Flags, ushort Version)
    {
        private const ushort WeakFlag = 2;

        /// <summary>Whether the loader accepts the absence of the version (VER_FLG_WEAK).</summary>
        public bool IsWeak => (Flags & WeakFlag) != 0;

        /// <summary>Sets VER_FLG_WEAK in the bytes of the file.</summary>
        public void MarkWeak(byte[] library) =>
            BinaryPrimitives.WriteUInt16LittleEndian(library.AsSpan(FlagsOffset), (ushort)(Flags | WeakFlag));
    }
}
