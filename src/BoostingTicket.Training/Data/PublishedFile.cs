namespace BoostingTicket.Training.Data;

/// <summary>A file of a data set as its publisher offers it.</summary>
/// <param name="Path">Where it lies under the data folder, with <c>/</c> between folders.</param>
/// <param name="Addresses">Where it can be downloaded, best first.</param>
/// <param name="Checksum">The publisher's checksum of it.</param>
/// <param name="Members">What it unpacks to; empty where the unpacked form's checksums are not known.</param>
/// <param name="Unpack">Whether fetching unpacks it (a tar.gz) into <paramref name="Members"/> and then removes it.</param>
internal sealed record PublishedFile(
    string Path, IReadOnlyList<Uri> Addresses, FileChecksum Checksum, IReadOnlyList<PublishedMember> Members,
    bool Unpack = false);

/// <summary>An unpacked file of a data set.</summary>
/// <param name="Path">Where it lies under the data folder, with <c>/</c> between folders.</param>
/// <param name="Checksum">The checksum of its content as published.</param>
internal sealed record PublishedMember(string Path, FileChecksum Checksum);
