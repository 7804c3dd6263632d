using System.Collections;
using Razorvine.Pickle;

namespace BoostingTicket.Training.Files.Torch;

/// <summary>
/// All that a pickle of <c>torch.save</c> may ask for: tensors, dictionaries, and values that are passed over. A pickle names
/// functions of Python by module and name; here a name stands for one of these constructors, which make values and nothing else,
/// or the file is refused (pickle protocol: Python's pickletools; torch/_utils.py).
/// </summary>
internal static class TorchConstructors
{
    private static readonly string[] Dictionaries =
        ["collections.OrderedDict", "collections.defaultdict", "collections.Counter"];

    // Learning rates, scores and the like.
    private static readonly string[] Passed =
    [
        "torch.device", "torch.Tensor", "torch.nn.parameter.Parameter", "numpy.dtype", "numpy.core.multiarray.scalar",
        "numpy._core.multiarray.scalar", "numpy.float64", "numpy.float32",
    ];

    private static readonly (string Name, SafetensorsType Type)[] Storages =
    [
        ("FloatStorage", SafetensorsType.F32), ("DoubleStorage", SafetensorsType.F64), ("HalfStorage", SafetensorsType.F16),
        ("BFloat16Storage", SafetensorsType.BF16), ("LongStorage", SafetensorsType.I64), ("IntStorage", SafetensorsType.I32),
        ("ShortStorage", SafetensorsType.I16), ("CharStorage", SafetensorsType.I8), ("ByteStorage", SafetensorsType.U8),
        ("BoolStorage", SafetensorsType.Bool), ("storage.UntypedStorage", SafetensorsType.Unknown),
    ];

    private static readonly (string Name, SafetensorsType Type)[] Types =
    [
        ("float32", SafetensorsType.F32), ("float64", SafetensorsType.F64), ("float16", SafetensorsType.F16),
        ("bfloat16", SafetensorsType.BF16), ("int64", SafetensorsType.I64), ("int32", SafetensorsType.I32),
        ("int16", SafetensorsType.I16), ("int8", SafetensorsType.I8), ("uint8", SafetensorsType.U8),
        ("bool", SafetensorsType.Bool),
        ("uint16", SafetensorsType.U16), ("uint32", SafetensorsType.U32), ("uint64", SafetensorsType.U64),
    ];

    /// <summary>Makes the constructors known to the pickle library, for the whole process; the names are PyTorch's own, so that
    /// nobody else's pickles are read in another way.</summary>
    public static void Register()
    {
        foreach (string name in Dictionaries)
            Add(name, _ => new TorchDictionary());
        foreach (string name in Passed)
            Add(name, _ => new PassedValue());
        foreach ((string name, SafetensorsType type) in Storages)
            Add($"torch.{name}", new TorchElement(type));
        foreach ((string name, SafetensorsType type) in Types)
            Add($"torch.{name}", new TorchElement(type));
        Add("torch.Size", arguments => arguments.Length == 1 ? arguments[0] : Array.Empty<object>());
        Add("torch._utils._rebuild_tensor", arguments => Rebuild(arguments, type: null));
        Add("torch._utils._rebuild_tensor_v2", arguments => Rebuild(arguments, type: null));
        Add("torch._utils._rebuild_tensor_v3", arguments => Rebuild(arguments, (arguments[6] as TorchElement)?.Type));
        Add("torch._utils._rebuild_parameter", arguments => Tensor(arguments[0]));
        Add("torch._utils._rebuild_parameter_with_state", arguments => Tensor(arguments[0]));
        Add("torch._tensor._rebuild_from_type_v2", arguments => Tensor(
            ((IObjectConstructor)arguments[0]).construct((object[])arguments[2])));
    }

    private static TorchTensor Rebuild(object[] arguments, SafetensorsType? type)
    {
        if (arguments.Length < 4 || arguments[0] is not TorchStorage storage)
            throw new TorchFormatException("a tensor has no storage");
        SafetensorsType elements = type ?? storage.Type;
        if (elements == SafetensorsType.Unknown)
            throw new TorchFormatException("a tensor does not say what its elements are");
        return new TorchTensor(storage, elements, Number(arguments[1]), Numbers(arguments[2]), Numbers(arguments[3])).Checked();
    }

    private static TorchTensor Tensor(object value) =>
        value as TorchTensor ?? throw new TorchFormatException("a parameter holds no tensor");

    private static long[] Numbers(object value) => value switch
    {
        object[] tuple => [.. tuple.Select(Number)],
        ArrayList list => [.. list.Cast<object>().Select(Number)],
        _ => throw new TorchFormatException("a tensor has no sizes"),
    };

    /// <summary>A whole number of a pickle.</summary>
    /// <exception cref="TorchFormatException">It is none.</exception>
    public static long Number(object value) => value switch
    {
        int number => number,
        long number => number,
        _ => throw new TorchFormatException("a tensor has sizes that are no whole numbers"),
    };

    private static void Add(string name, Func<object[], object> construct) => Add(name, new Constructor(construct));

    private static void Add(string name, IObjectConstructor constructor)
    {
        int dot = name.LastIndexOf('.');
        Unpickler.registerConstructor(name[..dot], name[(dot + 1)..], constructor);
    }

    private sealed class Constructor(Func<object[], object> make) : IObjectConstructor
    {
        public object construct(object[] args) => make(args);
    }
}

/// <summary>The elements of storages and tensors: a type's name in a pickle.</summary>
/// <param name="type">The type.</param>
internal sealed class TorchElement(SafetensorsType type) : IObjectConstructor
{
    /// <summary>The type.</summary>
    public SafetensorsType Type => type;

    /// <inheritdoc/>
    public object construct(object[] args) => throw new TorchFormatException("it makes an object of a number format");
}

#pragma warning disable IDE1006, CA1707 // The pickle library calls this name.

/// <summary>A dictionary whose attributes, such as the versions of a <c>state_dict</c>, are passed over.</summary>
internal sealed class TorchDictionary : Hashtable
{
    /// <summary>Takes the attributes.</summary>
    public void __setstate__(Hashtable attributes)
    {
    }
}

/// <summary>A value that is no part of a network.</summary>
internal sealed class PassedValue
{
    /// <summary>Takes its state.</summary>
    public void __setstate__(object[] state)
    {
    }

    /// <summary>Takes its state.</summary>
    public void __setstate__(Hashtable state)
    {
    }
}
