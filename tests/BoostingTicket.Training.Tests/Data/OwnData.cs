using System.Globalization;
using System.IO.Compression;
using System.Text;
using BoostingTicket.Training.Data.Own;

namespace BoostingTicket.Training.Tests.Data;

/// <summary>Makes small data sets of one's own.</summary>
internal static class OwnData
{
    /// <summary>An array as NumPy saves it.</summary>
    public static byte[] Npy(string type, string shape, byte[] values, string fortran = "False", byte version = 1)
    {
        string header = $"{{'descr': '{type}', 'fortran_order': {fortran}, 'shape': ({shape}), }}\n";
        byte[] length = version == 1 ? BitConverter.GetBytes((ushort)header.Length) : BitConverter.GetBytes(header.Length);
        return [0x93, .. "NUMPY"u8, version, 0, .. length, .. Encoding.ASCII.GetBytes(header), .. values];
    }

    /// <summary>Whole numbers as an array of eight bytes each.</summary>
    public static byte[] Labels(params ReadOnlySpan<long> labels)
    {
        var bytes = new List<byte>();
        foreach (long label in labels)
            bytes.AddRange(BitConverter.GetBytes(label));
        return Npy("<i8", string.Create(CultureInfo.InvariantCulture, $"{labels.Length},"), [.. bytes]);
    }

    /// <summary>An archive of arrays.</summary>
    public static void Npz(string path, params (string Name, byte[] Array)[] arrays)
    {
        using ZipArchive archive = ZipFile.Open(path, ZipArchiveMode.Create);
        foreach ((string name, byte[] array) in arrays)
        {
            using Stream entry = archive.CreateEntry(name + ".npy").Open();
            entry.Write(array);
        }
    }

    /// <summary>Images of 2x3 by their first pixel, in folders: what <see cref="Decoder"/> reads.</summary>
    public static void Folder(string root, params (string File, string Kind)[] images)
    {
        foreach ((string file, string kind) in images)
        {
            string path = Path.Combine([root, .. file.Split('/')]);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, kind);
        }
    }

    /// <summary>Reads a text as an image: its kind (grey, color, clear, wide, bad) and its first pixel.</summary>
    public sealed class Decoder : IImageDecoder
    {
        public DecodedImage Decode(byte[] file)
        {
            string[] words = Encoding.ASCII.GetString(file).Split(' ');
            byte first = words.Length > 1 ? byte.Parse(words[1], CultureInfo.InvariantCulture) : (byte)9;
            int channels = words[0] == "grey" ? 1 : 3, width = words[0] == "wide" ? 4 : 3;
            if (words[0] == "bad")
                throw new InvalidDataException("it is damaged");
            byte[] pixels = new byte[channels * 2 * width];
            pixels[0] = first;
            return new DecodedImage(channels, 2, width, pixels, words[0] == "clear");
        }
    }
}
