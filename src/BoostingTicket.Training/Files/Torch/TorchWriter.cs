using System.Collections.Specialized;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using Razorvine.Pickle;

namespace BoostingTicket.Training.Files.Torch;

/// <summary>Writes a <c>state_dict</c> as <c>torch.save</c> does since PyTorch 1.6: a zip archive of a pickle and of the
/// storages, which
/// <c>torch.load(weights_only=True)</c> takes (torch/serialization.py).</summary>
internal sealed class TorchWriter : IWeightWriter
{
    private const string Folder = "archive/";

    private readonly OrderedDictionary _tensors = [];
    private readonly List<ReadOnlyMemory<float>> _storages = [];

    static TorchWriter()
    {
        Pickler.registerCustomPickler(typeof(WrittenTensor), new TensorPickler());
        Pickler.registerCustomPickler(typeof(Global), new GlobalPickler());
    }

    /// <inheritdoc/>
    public void AddMetadata(string key, string value)
    {
        // A state_dict holds tensors alone; load_state_dict refuses more.
    }

    /// <inheritdoc/>
    public void AddTensor(string name, ReadOnlyMemory<float> values, params ReadOnlySpan<long> shape)
    {
        _tensors.Add(name, new WrittenTensor(_storages.Count, values.Length, shape.ToArray()));
        _storages.Add(values);
    }

    /// <inheritdoc/>
    public void Save(string path) => AtomicFile.Write(path, Write);

    private void Write(Stream stream)
    {
        using var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
        using (var pickler = new StoragePickler())
            Add(archive, "data.pkl", pickler.dumps(_tensors));
        Add(archive, "byteorder", "little"u8);
        for (int i = 0; i < _storages.Count; i++)
            Add(archive, FormattableString.Invariant($"data/{i}"), MemoryMarshal.AsBytes(_storages[i].Span));
        Add(archive, "version", "3\n"u8);
    }

    private static void Add(ZipArchive archive, string name, ReadOnlySpan<byte> content)
    {
        ZipArchiveEntry entry = archive.CreateEntry(Folder + name, CompressionLevel.NoCompression);
        // The same content gives the same bytes.
        entry.LastWriteTime = new DateTimeOffset(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);
        using Stream target = entry.Open();
        target.Write(content);
    }

    private sealed record WrittenTensor(int Storage, int Length, long[] Shape);

    private sealed record WrittenStorage(int Key, int Length);

    private sealed record Global(string Module, string Name);

    // Storages lie outside the pickle, which names them: ('storage', torch.FloatStorage, key, 'cpu', elements).
    private sealed class StoragePickler : Pickler
    {
        protected override bool persistentId(object pid, out object? newpid)
        {
            newpid = pid is WrittenStorage storage
                ? new object[]
                {
                    "storage", new Global("torch", "FloatStorage"), FormattableString.Invariant($"{storage.Key}"), "cpu",
                    storage.Length,
                }
                : null;
            return newpid is not null;
        }
    }

    private sealed class TensorPickler : IObjectPickler
    {
        public void pickle(object o, Stream outs, Pickler currentPickler)
        {
            var tensor = (WrittenTensor)o;
            object[] strides = new object[tensor.Shape.Length];
            long stride = 1;
            for (int i = strides.Length - 1; i >= 0; i--)
            {
                strides[i] = stride;
                stride *= tensor.Shape[i];
            }

            currentPickler.save(new Global("torch._utils", "_rebuild_tensor_v2"));
            // storage, offset, sizes, strides, requires_grad, and an empty OrderedDict of hooks
            outs.WriteByte(Opcodes.MARK);
            currentPickler.save(new WrittenStorage(tensor.Storage, tensor.Length));
            currentPickler.save(0);
            currentPickler.save(tensor.Shape.Cast<object>().ToArray());
            currentPickler.save(strides);
            currentPickler.save(false);
            currentPickler.save(new Global("collections", "OrderedDict"));
            outs.WriteByte(Opcodes.EMPTY_TUPLE);
            outs.WriteByte(Opcodes.REDUCE);
            outs.WriteByte(Opcodes.TUPLE);
            outs.WriteByte(Opcodes.REDUCE);
        }
    }

    private sealed class GlobalPickler : IObjectPickler
    {
        public void pickle(object o, Stream outs, Pickler currentPickler)
        {
            var global = (Global)o;
            outs.WriteByte(Opcodes.GLOBAL);
            outs.Write(Encoding.ASCII.GetBytes($"{global.Module}\n{global.Name}\n"));
        }
    }
}
