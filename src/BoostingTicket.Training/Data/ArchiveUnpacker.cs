using BoostingTicket.Training.Files;

namespace BoostingTicket.Training.Data;

/// <summary>Unpacks a fetched tar, gzipped or not, into the files that a data set is read from.</summary>
internal static class ArchiveUnpacker
{
    /// <summary>
    /// Writes each member whole or not at all, checks it, and removes the archive when all are there. Nothing but the members
    /// is written, wherever an archive might want its entries to go.
    /// </summary>
    /// <param name="setName">The data set.</param>
    /// <param name="file">The published archive.</param>
    /// <param name="root">The data folder.</param>
    /// <exception cref="DataException">The archive lacks a member or holds another content.</exception>
    /// <exception cref="ConfigurationException">A member cannot be written.</exception>
    public static void Unpack(string setName, PublishedFile file, string root)
    {
        string archive = DataRoot.PathOf(root, file.Path);
        Dictionary<string, PublishedMember> members = file.Members.ToDictionary(member => Path.GetFileName(member.Path));
        try
        {
            using var packed = new FileStream(archive, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
            using Stream content = PackedFile.Open(packed);
            var tar = new TarArchive(content);
            while (tar.MoveNext())
            {
                string name = tar.Name[(tar.Name.LastIndexOf('/') + 1)..];
                if (members.Remove(name, out PublishedMember? member))
                    Write(tar, member, root);
            }
        }
        catch (Exception error) when (error is InvalidDataException or EndOfStreamException or FormatException)
        {
            throw new DataException(
                $"{archive} is damaged: {StorageErrors.Reason(error)}; delete it and run 'data fetch {setName}'.", error);
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            throw new DataException($"Cannot read {archive}: {StorageErrors.Reason(error)}; make it readable.", error);
        }

        if (members.Count > 0)
            throw new DataException(
                $"{archive} has no {string.Join(" and no ", members.Keys)}; delete it and run 'data fetch {setName}'.");
        try
        {
            File.Delete(archive);
        }
        catch (Exception error) when (StorageErrors.IsStorage(error))
        {
            throw StorageErrors.CannotWrite(archive, error);
        }
    }

    private static void Write(TarArchive entry, PublishedMember member, string root)
    {
        string path = DataRoot.PathOf(root, member.Path);
        byte[] bytes = BoundedRead.Bytes(entry.Content, Math.Min(entry.Length, Array.MaxLength));
        if (!member.Checksum.Matches(bytes))
            throw new FormatException($"its {Path.GetFileName(path)} is not the published one");
        AtomicFile.WriteAllBytes(path, bytes);
    }
}
