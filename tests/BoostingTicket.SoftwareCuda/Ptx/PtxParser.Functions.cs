using System.Globalization;
using System.Text;

namespace BoostingTicket.SoftwareCuda.Ptx;

internal sealed partial class PtxParser
{
    // Registers of a brace's scope: by name, and the ranges of .reg .b32 %r<9>.
    private sealed class Scope
    {
        public Dictionary<string, int> Registers { get; } = new(StringComparer.Ordinal);

        public Dictionary<string, (PtxType Type, int Count)> Ranges { get; } = new(StringComparer.Ordinal);

        public Dictionary<string, string> Variables { get; } = new(StringComparer.Ordinal);
    }

    private readonly List<Scope> _scopes = [];
    private PtxFunction? _function;

    private void Function(bool isKernel)
    {
        _position++;
        List<PtxVariable> results = Current.Text == "(" ? Parameters() : [];
        string name = TakeWord().Text;
        List<PtxVariable> parameters = Current.Text == "(" ? Parameters() : [];
        var function = new PtxFunction { Name = name, IsKernel = isKernel, Parameters = parameters, Results = results };
        while (Current.Text != "{")
        {
            if (TakeIf(";"))
                return;
            Bounds(function);
        }
        _function = function;
        _position++;
        Body(new Scope());
        _functions.Add(function);
    }

    private void Bounds(PtxFunction function)
    {
        Token directive = Take();
        var numbers = new List<int>();
        while (Current.Kind == TokenKind.Integer)
        {
            numbers.Add(checked((int)Take().Bits));
            if (!TakeIf(","))
                break;
        }
        switch (directive.Text)
        {
            case ".maxntid":
                function.MaxThreads = numbers.Aggregate(1, (product, one) => product * one);
                break;
            case ".reqntid":
                function.RequiredThreads = numbers;
                break;
            case ".minnctapersm" or ".maxnreg" or ".maxnctapersm" or ".noreturn" or ".pragma":
                break;
            default:
                throw new PtxSyntaxException(directive.Line, $"'{directive.Text}' is not supported before a function's body.");
        }
    }

    private List<PtxVariable> Parameters()
    {
        Expect("(");
        var parameters = new List<PtxVariable>();
        while (!TakeIf(")"))
        {
            Token directive = Take();
            if (directive.Text is not (".param" or ".reg"))
                throw new PtxSyntaxException(directive.Line, $"'{directive.Text}' stands where .param is needed.");
            if (directive.Text == ".reg")
                throw new PtxSyntaxException(directive.Line, "parameters in registers are not supported.");
            (PtxType type, int alignment, int lanes) = TypeAndAlignment();
            parameters.Add(Variable(PtxSpace.Parameter, type, alignment, lanes, mayInitialise: false));
            TakeIf(",");
        }
        return parameters;
    }

    private void Body(Scope scope)
    {
        _scopes.Add(scope);
        while (!TakeIf("}"))
            Statement();
        _scopes.RemoveAt(_scopes.Count - 1);
    }

    private void Statement()
    {
        PtxFunction function = _function!;
        Token first = Current;
        if (first.Kind == TokenKind.End)
            throw new PtxSyntaxException(first.Line, $"the body of {function.Name} does not end.");
        if (TakeIf("{"))
        {
            Body(new Scope());
        }
        else if (TakeIf(";"))
        {
        }
        else if (first.Text == ".reg")
        {
            Registers();
        }
        else if (first.Text == ".loc")
        {
            WordsOfLine();
        }
        else if (first.Text == ".pragma")
        {
            while (Take().Text != ";")
            {
            }
        }
        else if (Spaces.ContainsKey(first.Text))
        {
            foreach (PtxVariable variable in Variables())
                DeclareVariable(variable);
        }
        else if (first.Kind == TokenKind.Word && _tokens[_position + 1].Text == ":")
        {
            Label();
        }
        else
        {
            Instruction();
        }
    }

    // Variables of inner braces get a number, so that two of the same name stay apart.
    private void DeclareVariable(PtxVariable variable)
    {
        PtxFunction function = _function!;
        string unique = _scopes.Count == 1 ? variable.Name : $"{variable.Name}#{function.Variables.Count}";
        _scopes[^1].Variables[variable.Name] = unique;
        function.Variables.Add(variable with { Name = unique });
    }

    private void Label()
    {
        PtxFunction function = _function!;
        Token label = Take();
        _position++;
        if (TakeIf(".branchtargets"))
        {
            var targets = new List<string>();
            do
            {
                targets.Add(TakeWord().Text);
            }
            while (TakeIf(","));
            Expect(";");
            function.BranchTargets[label.Text] = targets;
            return;
        }
        if (!function.Labels.TryAdd(label.Text, function.Instructions.Count))
            throw new PtxSyntaxException(label.Line, $"the label {label.Text} occurs twice.");
    }

    private void Registers()
    {
        _position++;
        Token token = Take();
        PtxType type = PtxType.Find(token.Text.TrimStart('.'))
            ?? throw new PtxSyntaxException(token.Line, $"'{token.Text}' is not a type of registers.");
        do
        {
            string name = TakeWord().Text;
            if (TakeIf("<"))
            {
                _scopes[^1].Ranges[name] = (type, checked((int)Take().Bits));
                Expect(">");
            }
            else
            {
                _scopes[^1].Registers[name] = NewRegister(type);
            }
        }
        while (TakeIf(","));
        Expect(";");
    }

    private int NewRegister(PtxType type)
    {
        _function!.Registers.Add(type);
        return _function.Registers.Count - 1;
    }

    private int? FindRegister(string name)
    {
        for (int i = _scopes.Count - 1; i >= 0; i--)
        {
            if (_scopes[i].Registers.TryGetValue(name, out int register))
                return register;
            int digits = name.Length;
            while (digits > 0 && char.IsAsciiDigit(name[digits - 1]))
                digits--;
            if (digits < name.Length && _scopes[i].Ranges.TryGetValue(name[..digits], out (PtxType Type, int Count) range)
                && int.Parse(name[digits..], CultureInfo.InvariantCulture) < range.Count)
            {
                register = NewRegister(range.Type);
                _scopes[i].Registers[name] = register;
                return register;
            }
        }
        return null;
    }

    private void Instruction()
    {
        int? guard = null;
        bool negated = false;
        if (TakeIf("@"))
        {
            negated = TakeIf("!");
            Token name = TakeWord();
            guard = FindRegister(name.Text)
                ?? throw new PtxSyntaxException(name.Line, $"the predicate {name.Text} is not declared.");
        }
        Token opcode = TakeWord();
        int start = _position;
        var operands = new List<PtxOperand>();
        while (Current.Text != ";")
        {
            operands.Add(Operand());
            if (Current.Text != ";")
                Expect(",");
        }
        string text = Text(opcode, start, _position);
        _position++;
        _function!.Instructions.Add(
            new PtxInstruction(opcode.Line, text, opcode.Text.Split('.'), operands, guard, negated));
    }

    private string Text(Token opcode, int start, int end)
    {
        var text = new StringBuilder(opcode.Text);
        for (int i = start; i < end; i++)
        {
            bool tight = _tokens[i].Text is "," or "]" or "}" or ")" or "+" or "|"
                || (i > start && _tokens[i - 1].Text is "[" or "{" or "(" or "+" or "|" or "-" or "!");
            if (i == start || !tight)
                text.Append(' ');
            text.Append(_tokens[i].Text);
        }
        return text.ToString();
    }

    private PtxOperand Operand()
    {
        Token token = Current;
        if (TakeIf("{"))
            return new VectorOperand(OperandsUntil("}"));
        if (TakeIf("("))
            return new ListOperand(OperandsUntil(")"));
        if (TakeIf("["))
        {
            PtxOperand address = Simple();
            long offset = TakeOffset();
            if (address is NameOperand name)
            {
                offset += name.Offset;
                address = name with { Offset = 0 };
            }
            Expect("]");
            return new AddressOperand(address, offset);
        }
        if (TakeIf("!"))
        {
            Token name = TakeWord();
            int register = FindRegister(name.Text)
                ?? throw new PtxSyntaxException(name.Line, $"the predicate {name.Text} is not declared.");
            return new RegisterOperand(register, true);
        }
        PtxOperand first = Simple();
        return TakeIf("|") ? new PairOperand(first, Simple()) : first;
    }

    private List<PtxOperand> OperandsUntil(string end)
    {
        var operands = new List<PtxOperand>();
        while (!TakeIf(end))
        {
            operands.Add(Operand());
            TakeIf(",");
        }
        return operands;
    }

    private PtxOperand Simple()
    {
        Token token = Current;
        if (token.Kind != TokenKind.Word)
            return Number();
        _position++;
        if (token.Text == "_")
            return new SinkOperand();
        if (FindRegister(token.Text) is int register)
            return new RegisterOperand(register, false);
        string name = token.Text;
        for (int i = _scopes.Count - 1; i >= 0; i--)
        {
            if (_scopes[i].Variables.TryGetValue(token.Text, out string? unique))
            {
                name = unique;
                break;
            }
        }
        return new NameOperand(name, TakeOffset());
    }

    private NumberOperand Number()
    {
        bool negative = TakeIf("-");
        Token token = Take();
        ulong bits = token.Bits;
        switch (token.Kind)
        {
            case TokenKind.Integer:
                return new NumberOperand(token.Kind, negative ? 0 - bits : bits);
            case TokenKind.Single:
                return new NumberOperand(token.Kind, negative ? bits ^ 0x8000_0000 : bits);
            case TokenKind.Double:
                return new NumberOperand(token.Kind, negative ? bits ^ 0x8000_0000_0000_0000 : bits);
            default:
                throw new PtxSyntaxException(token.Line, $"'{token.Text}' stands where an operand is needed.");
        }
    }

    private long TakeOffset()
    {
        if (TakeIf("+"))
            return (long)Number().Bits;
        return TakeIf("-") ? -(long)Number().Bits : 0;
    }
}
