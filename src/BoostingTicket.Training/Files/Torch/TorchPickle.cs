using System.Collections;
using System.Text.RegularExpressions;
using Razorvine.Pickle;
using Razorvine.Pickle.Objects;

namespace BoostingTicket.Training.Files.Torch;

/// <summary>Reads the pickles of <c>torch.save</c>, whose storages are named and lie elsewhere in the file.</summary>
internal sealed partial class TorchPickle : Unpickler
{
    private const int Deepest = 32;
    private const int MostValues = 1_000_000;

    static TorchPickle() => TorchConstructors.Register();

    /// <summary>The tensors of a pickle by their paths: keys of dictionaries and positions in lists, joined by dots.</summary>
    /// <param name="pickle">The pickle.</param>
    /// <exception cref="TorchFormatException">It is damaged.</exception>
    /// <exception cref="TorchRefusedException">It asks for what is neither a tensor nor a dictionary.</exception>
    public static SortedDictionary<string, TorchTensor> Tensors(byte[] pickle)
    {
        var tensors = new SortedDictionary<string, TorchTensor>(StringComparer.Ordinal);
        int values = 0;
        Visit(Read(pickle), "", 0);
        return tensors;

        void Visit(object? value, string path, int depth)
        {
            if (depth > Deepest || ++values > MostValues)
                throw new TorchFormatException("it nests too deep, or holds too many values");
            switch (value)
            {
                case TorchTensor tensor:
                    if (!tensors.TryAdd(path.Length == 0 ? "tensor" : path, tensor))
                        throw new TorchFormatException($"it has two tensors '{path}'");
                    break;
                case ClassDict other:
                    throw new TorchRefusedException(other.ClassName);
                case ClassDictConstructor other:
                    throw new TorchRefusedException($"{other.module}.{other.name}");
                case IDictionary dictionary:
                    foreach (DictionaryEntry entry in dictionary)
                        Visit(entry.Value, Join(path, entry.Key), depth + 1);
                    break;
                case string or byte[]:
                    break;
                case IEnumerable list:
                    int index = 0;
                    foreach (object? item in list)
                        Visit(item, Join(path, index++), depth + 1);
                    break;
            }
        }
    }

    /// <summary>Reads one pickle.</summary>
    /// <param name="pickle">The pickle.</param>
    /// <exception cref="TorchFormatException">It is damaged.</exception>
    /// <exception cref="TorchRefusedException">It asks for what is neither a tensor nor a dictionary.</exception>
    public static object Read(byte[] pickle)
    {
        using var unpickler = new TorchPickle();
        try
        {
            _ = PickleScan.Length(pickle);
            return unpickler.loads(pickle);
        }
        catch (PickleException error) when (Asked().Match(error.Message) is { Success: true } asked)
        {
            throw new TorchRefusedException(asked.Groups[1].Value, error);
        }
        catch (PickleException error) when (error.InnerException is TorchFormatException or TorchRefusedException)
        {
            throw error.InnerException;
        }
        catch (Exception error) when (error is not (TorchFormatException or TorchRefusedException))
        {
            // The library reads what is there and lets the runtime notice what is not.
            throw new TorchFormatException("its pickle is damaged", error);
        }
    }

    /// <inheritdoc/>
    protected override object persistentLoad(object pid)
    {
        // The older format keeps the source of a module that is saved whole.
        if (pid is object[] { Length: >= 2 } saved && saved[0] is "module" && saved[1] is ClassDictConstructor module)
            throw new TorchRefusedException($"{module.module}.{module.name}");
        if (pid is not object[] { Length: >= 5 } parts || parts[0] is not "storage" || parts[1] is not TorchElement element
            || parts[2] is not string key)
            throw new TorchFormatException("it names something that is not a storage");
        int size = element.Type.Size();
        long count = TorchConstructors.Number(parts[4]), begin = 0;
        // Parts of storages, as the older format keeps them: name, first element and number of elements.
        if (parts.Length > 5 && parts[5] is object[] { Length: 3 } view)
            (begin, count) = (TorchConstructors.Number(view[1]), TorchConstructors.Number(view[2]));
        if (count < 0 || begin < 0 || count > long.MaxValue / 16 || begin > long.MaxValue / 16)
            throw new TorchFormatException("a storage has an impossible size");
        return new TorchStorage(key, element.Type, count * size, begin * size);
    }

    private static string Join(string path, object? key)
    {
        string name = FormattableString.Invariant($"{key}");
        return path.Length == 0 ? name : $"{path}.{name}";
    }

    // "expected zero arguments for construction of ClassDict (for MODULE.NAME)"
    [GeneratedRegex(@"\(for ([\w.<>-]+)\)")]
    private static partial Regex Asked();
}

/// <summary>A file asks for a class or function that is neither a tensor nor a dictionary.</summary>
/// <param name="name">Its module and name in Python.</param>
/// <param name="inner">What the pickle library said.</param>
internal sealed class TorchRefusedException(string name, Exception? inner = null) : Exception(name, inner)
{
    /// <summary>Its module and name in Python.</summary>
    public string Name { get; } = name;
}
