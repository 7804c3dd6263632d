using BoostingTicket.SoftwareCuda.Ptx;

namespace BoostingTicket.SoftwareCuda.Execution;

internal sealed partial class KernelDecoder
{
    private PtxOperand Operand(int index) => index < _source.Operands.Count
        ? _source.Operands[index]
        : throw new Modifiers(_source).Unsupported($"it has only {_source.Operands.Count} operands");

    // The row of what an instruction reads as a type.
    private int Source(int index, PtxType type) => Source(Operand(index), type);

    private int Source(PtxOperand operand, PtxType type)
    {
        switch (operand)
        {
            case RegisterOperand { Negated: false } register:
                RequireWidth(register, type);
                return _registers[_function][register.Register];
            case NumberOperand number:
                return Constant(PtxParser.NumberBits(number, type, _source.Line));
            case NameOperand name when SpecialRegisters.Exists(name.Name):
                return Special(name.Name);
            case NameOperand name:
                return Constant((ulong)((long)AddressOf(name.Name).Address + name.Offset) & type.Mask);
            default:
                throw new Modifiers(_source).Unsupported($"the operand {operand} is not one that can be read");
        }
    }

    // Predicates may be negated where they are operands.
    private (int Row, bool Negated) Predicate(int index)
    {
        PtxOperand operand = Operand(index);
        if (operand is NumberOperand number)
            return (Constant(number.Bits & 1), false);
        var register = (RegisterOperand)operand;
        if (_function.Registers[register.Register].Kind != PtxKind.Predicate)
            throw new Modifiers(_source).Unsupported("an operand is no predicate");
        return (_registers[_function][register.Register], register.Negated);
    }

    // The row that an instruction writes; -1 for a sink.
    private int Destination(int index) => Destination(Operand(index));

    private int Destination(PtxOperand operand) => operand is SinkOperand
        ? -1
        : _registers[_function][((RegisterOperand)operand).Register];

    private int Destination(int index, PtxType type)
    {
        if (Operand(index) is RegisterOperand register)
            RequireWidth(register, type);
        return Destination(index);
    }

    private PtxType RegisterType(PtxOperand operand) => _function.Registers[((RegisterOperand)operand).Register];

    private void RequireWidth(RegisterOperand register, PtxType type)
    {
        PtxType declared = _function.Registers[register.Register];
        bool fits = declared.Kind == PtxKind.Predicate
            ? type.Kind == PtxKind.Predicate
            : type.Kind != PtxKind.Predicate && declared.Bits >= type.Bits;
        if (!fits)
            throw new Modifiers(_source).Unsupported($"a register of type .{declared.Name} stands where .{type.Name} is needed");
    }

    private int Constant(ulong value)
    {
        if (!_constants.TryGetValue(value, out int row))
            _constants[value] = row = _rows++;
        return row;
    }

    private int Special(string name)
    {
        if (!_specials.TryGetValue(name, out int row))
            _specials[name] = row = _rows++;
        return row;
    }

    // The address of a variable within its space.
    private (AddressSpace Space, ulong Address) AddressOf(string name)
    {
        if (_variables.TryGetValue((_function, name), out (PtxVariable Variable, int Offset) own)
            || _moduleShared.TryGetValue(name, out own))
        {
            AddressSpace space = own.Variable.Space == PtxSpace.Shared ? AddressSpace.Shared : AddressSpace.Local;
            return (space, (ulong)own.Offset);
        }
        if (_function == _kernel)
        {
            foreach (KernelParameter parameter in _parameters)
            {
                if (parameter.Name == name)
                    return (AddressSpace.Parameter, (ulong)parameter.Offset);
            }
        }
        if (_addresses.TryGetValue(name, out ulong address))
            return (AddressSpace.Global, address);
        throw new Modifiers(_source).Unsupported($"'{name}' is not declared");
    }

    private MapInstruction1 Map(Map1 map, PtxType to, PtxType a) =>
        new(map, Destination(0, to), Source(1, a)) { Source = _source, Guard = _guard };

    private MapInstruction2 Map(Map2 map, PtxType to, PtxType a, PtxType b) =>
        new(map, Destination(0, to), Source(1, a), Source(2, b)) { Source = _source, Guard = _guard };

    private MapInstruction3 Map(Map3 map, PtxType to, PtxType a, PtxType b, PtxType c) =>
        new(map, Destination(0, to), Source(1, a), Source(2, b), Source(3, c)) { Source = _source, Guard = _guard };

    private MapInstruction4 Map(Map4 map, PtxType to, PtxType a, PtxType b, PtxType c, PtxType d) =>
        new(map, Destination(0, to), Source(1, a), Source(2, b), Source(3, c), Source(4, d)) { Source = _source, Guard = _guard };
}
