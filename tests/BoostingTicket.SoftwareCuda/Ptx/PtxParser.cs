namespace BoostingTicket.SoftwareCuda.Ptx;

/// <summary>Reads PTX text: modules, variables and functions. Names are resolved to registers; instructions are not
/// interpreted here.</summary>
internal sealed partial class PtxParser
{
    private static readonly HashSet<string> Linkages = new(StringComparer.Ordinal) { ".visible", ".extern", ".weak", ".common" };

    private static readonly Dictionary<string, PtxSpace> Spaces = new(StringComparer.Ordinal)
    {
        [".global"] = PtxSpace.Global,
        [".const"] = PtxSpace.Constant,
        [".shared"] = PtxSpace.Shared,
        [".local"] = PtxSpace.Local,
        [".param"] = PtxSpace.Parameter,
    };

    private readonly List<Token> _tokens;
    private readonly string[] _lines;
    private readonly List<PtxVariable> _variables = [];
    private readonly List<PtxFunction> _functions = [];
    private int _position;

    private PtxParser(string text)
    {
        _tokens = PtxLexer.Split(text);
        _lines = text.Split('\n');
    }

    private Token Current => _tokens[_position];

    /// <summary>Parses a module.</summary>
    /// <exception cref="PtxSyntaxException">The text is not PTX.</exception>
    public static PtxModule Parse(string text) => new PtxParser(text).Module();

    private PtxModule Module()
    {
        string version = "", target = "";
        while (Current.Kind != TokenKind.End)
        {
            Token token = Current;
            switch (token.Text)
            {
                case ".version":
                    _position++;
                    version = Take().Text;
                    break;
                case ".target":
                    target = string.Join(",", WordsOfLine());
                    break;
                case ".address_size":
                    _position++;
                    if (Take().Bits != 64)
                        throw new PtxSyntaxException(token.Line, "only 64-bit addresses are supported.");
                    break;
                case ".file" or ".section" or ".pragma":
                    SkipDebugging();
                    break;
                default:
                    Declaration();
                    break;
            }
        }
        if (version.Length == 0 || target.Length == 0)
            throw new PtxSyntaxException(1, "a module starts with .version and .target.");
        return new PtxModule(version, target, _variables, _functions);
    }

    private List<string> WordsOfLine()
    {
        int line = Take().Line;
        var words = new List<string>();
        while (Current.Kind != TokenKind.End && Current.Line == line)
        {
            Token token = Take();
            if (token.Text != ",")
                words.Add(token.Text);
        }
        return words;
    }

    // .file and .pragma end with their line or semicolon, .section with a closing brace.
    private void SkipDebugging()
    {
        Token directive = Current;
        if (directive.Text != ".section")
        {
            WordsOfLine();
            return;
        }
        while (Current.Text != "}")
        {
            if (Take().Kind == TokenKind.End)
                throw new PtxSyntaxException(directive.Line, ".section does not end.");
        }
        _position++;
    }

    private void Declaration()
    {
        while (Linkages.Contains(Current.Text))
            _position++;
        Token directive = Current;
        if (directive.Text is ".entry" or ".func")
            Function(directive.Text == ".entry");
        else if (Spaces.ContainsKey(directive.Text))
            _variables.AddRange(Variables());
        else
            throw new PtxSyntaxException(directive.Line, $"'{directive.Text}' starts no declaration.");
    }

    private List<PtxVariable> Variables()
    {
        PtxSpace space = Spaces[Take().Text];
        var variables = new List<PtxVariable>();
        (PtxType type, int alignment, int lanes) = TypeAndAlignment();
        do
        {
            variables.Add(Variable(space, type, alignment, lanes, mayInitialise: true));
        }
        while (TakeIf(","));
        Expect(";");
        return variables;
    }

    private (PtxType Type, int Alignment, int Lanes) TypeAndAlignment()
    {
        int alignment = 0, lanes = 1;
        while (true)
        {
            Token token = Take();
            switch (token.Text)
            {
                case ".align":
                    alignment = checked((int)Take().Bits);
                    break;
                case ".ptr":
                    // Pointers' annotations (.ptr.global.align 16) say nothing that is checked here.
                    break;
                case ".v2":
                    lanes = 2;
                    break;
                case ".v4":
                    lanes = 4;
                    break;
                default:
                    PtxType type = (token.Text.StartsWith('.') ? PtxType.Find(token.Text[1..]) : null)
                        ?? throw new PtxSyntaxException(token.Line, $"'{token.Text}' is not a type.");
                    return (type, Math.Max(alignment, type.Bytes * lanes), lanes);
            }
        }
    }

    private PtxVariable Variable(PtxSpace space, PtxType type, int alignment, int lanes, bool mayInitialise)
    {
        SkipPointerAnnotation();
        Token name = TakeWord();
        long elements = lanes;
        bool isOpen = false;
        while (TakeIf("["))
        {
            if (TakeIf("]"))
            {
                isOpen = true;
                continue;
            }
            elements *= checked((long)Take().Bits);
            Expect("]");
        }
        byte[]? initial = null;
        var references = new List<PtxReference>();
        if (mayInitialise && TakeIf("="))
        {
            var bytes = new List<byte>();
            Initializer(type, bytes, references);
            initial = [.. bytes];
            if (isOpen)
                elements = bytes.Count / type.Bytes;
            isOpen = false;
        }
        int size = isOpen ? 0 : checked((int)(elements * type.Bytes));
        if (initial is not null && initial.Length > size)
            throw new PtxSyntaxException(name.Line, $"'{name.Text}' has more initial values than elements.");
        return new PtxVariable(name.Text, space, type, alignment, size, initial, references);
    }

    private void SkipPointerAnnotation()
    {
        while (Current.Text is ".ptr" or ".global" or ".align" || Current.Text.StartsWith(".ptr.", StringComparison.Ordinal))
        {
            bool hasNumber = Current.Text.EndsWith(".align", StringComparison.Ordinal);
            _position += hasNumber ? 2 : 1;
        }
    }

    private void Initializer(PtxType type, List<byte> bytes, List<PtxReference> references)
    {
        if (TakeIf("{"))
        {
            while (!TakeIf("}"))
            {
                Initializer(type, bytes, references);
                if (Current.Text != "}")
                    Expect(",");
            }
            return;
        }
        Token token = Current;
        ulong value;
        if (token.Kind == TokenKind.Word)
        {
            references.Add(Reference(bytes.Count));
            value = 0;
        }
        else
        {
            NumberOperand number = Number();
            value = NumberBits(number, type, token.Line);
        }
        for (int i = 0; i < type.Bytes; i++)
            bytes.Add((byte)(value >> (8 * i)));
    }

    private PtxReference Reference(int offset)
    {
        Token name = TakeWord();
        bool isGeneric = name.Text == "generic" && TakeIf("(");
        if (isGeneric)
        {
            name = TakeWord();
            Expect(")");
        }
        return new PtxReference(offset, name.Text, isGeneric, TakeOffset());
    }

    /// <summary>The bits that a number has as a value of a type.</summary>
    internal static ulong NumberBits(NumberOperand number, PtxType type, int line)
    {
        if (!type.IsFloat)
        {
            if (number.Kind == TokenKind.Integer || type.Kind == PtxKind.Bits)
                return number.Bits & type.Mask;
        }
        else if (type.Bits == 32)
        {
            if (number.Kind == TokenKind.Single)
                return number.Bits;
            if (number.Kind == TokenKind.Double)
                return BitConverter.SingleToUInt32Bits((float)BitConverter.UInt64BitsToDouble(number.Bits));
        }
        else if (type.Bits == 64 && number.Kind == TokenKind.Double)
        {
            return number.Bits;
        }
        throw new PtxSyntaxException(line, $"a number of another kind stands where a .{type.Name} is needed.");
    }

    private Token Take()
    {
        Token token = Current;
        if (token.Kind != TokenKind.End)
            _position++;
        return token;
    }

    private Token TakeWord()
    {
        Token token = Take();
        return token.Kind == TokenKind.Word
            ? token
            : throw new PtxSyntaxException(token.Line, $"'{token.Text}' stands where a name is needed.");
    }

    private bool TakeIf(string text)
    {
        if (Current.Text != text || Current.Kind == TokenKind.Text)
            return false;
        _position++;
        return true;
    }

    private void Expect(string text)
    {
        Token token = Current;
        if (!TakeIf(text))
            throw new PtxSyntaxException(token.Line, $"'{token.Text}' stands where '{text}' is needed.");
    }
}
