using BoostingTicket.SoftwareCuda.Ptx;

namespace BoostingTicket.SoftwareCuda.Execution;

/// <summary>Turns a kernel and the functions it calls into instructions that can be executed. An unknown instruction or modifier
/// is an error.</summary>
internal sealed partial class KernelDecoder
{
    private readonly PtxModule _module;
    private readonly IReadOnlyDictionary<string, ulong> _addresses;
    private readonly PtxFunction _kernel;
    private readonly List<Instruction> _code = [];
    private readonly List<PtxFunction> _functions = [];
    private readonly Dictionary<PtxFunction, int[]> _registers = [];
    private readonly Dictionary<(PtxFunction, string), (PtxVariable Variable, int Offset)> _variables = [];
    private readonly Dictionary<string, (PtxVariable Variable, int Offset)> _moduleShared = new(StringComparer.Ordinal);
    private readonly Dictionary<ulong, int> _constants = [];
    private readonly Dictionary<string, int> _specials = new(StringComparer.Ordinal);
    private readonly List<KernelParameter> _parameters = [];
    private readonly Dictionary<PtxFunction, int> _starts = [];
    private readonly Dictionary<(PtxFunction, int), int> _places = [];
    private readonly int _registerRows;
    private int _rows;
    private int _sharedBytes;
    private int _localBytes;
    private PtxFunction _function = null!;
    private PtxInstruction _source = null!;
    private int _guard;

    private KernelDecoder(PtxModule module, PtxFunction kernel, IReadOnlyDictionary<string, ulong> addresses)
    {
        _module = module;
        _kernel = kernel;
        _addresses = addresses;
        CollectFunctions(kernel, []);
        foreach (PtxFunction function in _functions)
        {
            int[] rows = new int[function.Registers.Count];
            for (int i = 0; i < rows.Length; i++)
                rows[i] = _rows++;
            _registers[function] = rows;
        }
        CarryRow = _rows++;
        _registerRows = _rows;
        LayOut();
        NumberInstructions();
    }

    private int CarryRow { get; }

    /// <summary>Decodes a kernel.</summary>
    /// <param name="module">Its module.</param>
    /// <param name="kernel">The kernel.</param>
    /// <param name="addresses">Where the module's global and constant variables are.</param>
    /// <exception cref="SoftwareCudaException">An instruction is not known.</exception>
    public static Kernel Decode(PtxModule module, PtxFunction kernel, IReadOnlyDictionary<string, ulong> addresses)
    {
        var decoder = new KernelDecoder(module, kernel, addresses);
        decoder.DecodeAll();
        for (int i = 0; i < decoder._code.Count; i++)
            decoder._code[i].Place = i;
        return new Kernel
        {
            Name = kernel.Name,
            Source = kernel,
            Code = [.. decoder._code],
            Rows = decoder._rows,
            RegisterRows = decoder._registerRows,
            Constants = [.. decoder._constants.Select(pair => new ConstantRow(pair.Value, pair.Key))],
            Specials = [.. decoder._specials.Select(pair => new SpecialRegister(pair.Value, pair.Key))],
            Parameters = [.. decoder._parameters],
            SharedBytes = decoder._sharedBytes,
            SharedVariables = [.. decoder.SharedVariables()],
            LocalBytes = decoder._localBytes,
        };
    }

    private IEnumerable<SharedVariable> SharedVariables() =>
        from placed in _variables.Values.Concat(_moduleShared.Values)
        where placed.Variable.Space == PtxSpace.Shared
        orderby placed.Offset
        select new SharedVariable(placed.Variable.Name, placed.Offset, placed.Variable.Bytes);

    private void CollectFunctions(PtxFunction function, List<string> callers)
    {
        if (callers.Contains(function.Name))
            throw new SoftwareCudaException(
                $"The software CUDA device does not support recursion: {function.Name} calls itself.");
        if (_functions.Contains(function))
            return;
        _functions.Add(function);
        callers.Add(function.Name);
        foreach (PtxInstruction instruction in function.Instructions)
        {
            if (instruction.Words[0] == "call")
                CollectFunctions(Callee(instruction), callers);
        }
        callers.RemoveAt(callers.Count - 1);
    }

    private PtxFunction Callee(PtxInstruction call)
    {
        string? name = call.Operands.OfType<NameOperand>().FirstOrDefault()?.Name;
        return _module.Functions.FirstOrDefault(function => function.Name == name && !function.IsKernel)
            ?? throw new Modifiers(call).Unsupported($"the module has no function {name} with a body");
    }

    // Parameters follow each other as the C structure of them does; variables each in their space.
    private void LayOut()
    {
        int end = 0;
        foreach (PtxVariable parameter in _kernel.Parameters)
        {
            int offset = Align(end, parameter.Alignment);
            _parameters.Add(new KernelParameter(parameter.Name, offset, parameter.Bytes));
            end = offset + parameter.Bytes;
        }
        foreach (PtxFunction function in _functions)
        {
            if (function != _kernel)
            {
                foreach (PtxVariable variable in function.Parameters.Concat(function.Results))
                    LayOut(function, variable);
            }
            foreach (PtxVariable variable in function.Variables)
                LayOut(function, variable);
        }
        IEnumerable<string> used = _functions.SelectMany(function => function.Instructions)
            .SelectMany(instruction => instruction.Operands).SelectMany(Names).Distinct();
        foreach (string name in used)
        {
            PtxVariable? variable = _module.Variables.FirstOrDefault(one => one.Name == name && one.Space == PtxSpace.Shared);
            if (variable is null)
                continue;
            if (variable.Bytes == 0)
            {
                throw new SoftwareCudaException(
                    $"Kernel {_kernel.Name}: {name} needs dynamic shared memory, which launches do not give.");
            }
            _sharedBytes = Align(_sharedBytes, variable.Alignment);
            _moduleShared[name] = (variable, _sharedBytes);
            _sharedBytes += variable.Bytes;
        }
    }

    private void LayOut(PtxFunction function, PtxVariable variable)
    {
        if (variable.Space == PtxSpace.Shared)
        {
            _sharedBytes = Align(_sharedBytes, variable.Alignment);
            _variables[(function, variable.Name)] = (variable, _sharedBytes);
            _sharedBytes += variable.Bytes;
        }
        else if (variable.Space is PtxSpace.Local or PtxSpace.Parameter)
        {
            _localBytes = Align(_localBytes, Math.Max(1, variable.Alignment));
            _variables[(function, variable.Name)] = (variable, _localBytes);
            _localBytes += variable.Bytes;
        }
    }

    private static IEnumerable<string> Names(PtxOperand operand) => operand switch
    {
        NameOperand name => [name.Name],
        AddressOperand address => Names(address.Base),
        VectorOperand vector => vector.Elements.SelectMany(Names),
        _ => [],
    };

    private static int Align(int offset, int alignment) => (offset + alignment - 1) / alignment * alignment;

    // A function's instructions follow those of its callers; each ends with a return of its own.
    private void NumberInstructions()
    {
        int place = 0;
        foreach (PtxFunction function in _functions)
        {
            _starts[function] = place;
            for (int i = 0; i <= function.Instructions.Count; i++)
                _places[(function, i)] = place++;
        }
    }

    private void DecodeAll()
    {
        foreach (PtxFunction function in _functions)
        {
            _function = function;
            foreach (PtxInstruction source in function.Instructions)
            {
                _source = source;
                _guard = source.Guard is int guard ? _registers[function][guard] : -1;
                _code.Add(DecodeOne(new Modifiers(source)));
            }
            _source = new PtxInstruction(function.Instructions.LastOrDefault()?.Line ?? 0, "ret", ["ret"], [], null, false);
            _guard = -1;
            _code.Add(new ReturnInstruction { Source = _source, Guard = -1 });
        }
    }

    private Instruction DecodeOne(Modifiers modifiers)
    {
        Instruction? instruction;
        try
        {
            instruction = DecodeControl(modifiers) ?? DecodeMemory(modifiers) ?? DecodeWarp(modifiers)
                ?? DecodeConversion(modifiers) ?? DecodeComparison(modifiers) ?? DecodeBits(modifiers)
                ?? DecodeArithmetic(modifiers);
        }
        catch (Exception error) when (error is InvalidCastException or ArgumentOutOfRangeException or PtxSyntaxException)
        {
            throw modifiers.Unsupported($"its operands are not understood ({error.Message.TrimEnd('.')})");
        }
        if (instruction is null)
            throw modifiers.Unsupported($"the instruction '{_source.Words[0]}' is unknown");
        modifiers.RequireNone();
        return instruction;
    }

    private int Place(string label) => _function.Labels.TryGetValue(label, out int instruction)
        ? _places[(_function, instruction)]
        : throw new Modifiers(_source).Unsupported($"there is no label {label}");
}
