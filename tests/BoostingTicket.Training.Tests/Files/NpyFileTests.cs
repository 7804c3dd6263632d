using System.Buffers.Binary;
using System.Text;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Files;

internal sealed class NpyFileTests
{
    [TestCase("(2, 1, 3, 1,)", 2, 1, 3, 1)]
    [TestCase("(6,)", 6)]
    public void A_file_is_as_its_format_says(string dimensions, params int[] shape)
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "images.npy");
        float[] values = [1, -2, 0.5f, float.MaxValue, 0, 3];

        NpyFile.Write(path, shape, values);

        byte[] bytes = File.ReadAllBytes(path);
        int length = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(8));
        string header = Encoding.ASCII.GetString(bytes, 10, length);
        Assert.Multiple(() =>
        {
            Assert.That(bytes[..8], Is.EqualTo(new byte[] { 0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0 }));
            Assert.That((10 + length) % 64, Is.Zero);
            Assert.That(header.TrimEnd(), Is.EqualTo($"{{'descr': '<f4', 'fortran_order': False, 'shape': {dimensions}, }}"));
            Assert.That(header[^1], Is.EqualTo('\n'));
            Assert.That(
                Enumerable.Range(0, 6).Select(i => BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(10 + length + 4 * i))),
                Is.EqualTo(values));
            Assert.That(bytes, Has.Length.EqualTo(10 + length + 24));
        });
    }

    [Test]
    public void A_shape_of_another_size_is_refused() =>
        Assert.That(() => NpyFile.Write("never.npy", [2, 2], new float[3]), Throws.ArgumentException);
}
