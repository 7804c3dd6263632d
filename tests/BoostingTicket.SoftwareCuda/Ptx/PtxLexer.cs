using System.Globalization;

namespace BoostingTicket.SoftwareCuda.Ptx;

/// <summary>Kinds of tokens.</summary>
internal enum TokenKind
{
    /// <summary>A name, a directive, or an instruction with its modifiers.</summary>
    Word,

    /// <summary>An integer; its bits are those of a 64-bit one.</summary>
    Integer,

    /// <summary>0f and eight digits; the bits of a float32.</summary>
    Single,

    /// <summary>0d and sixteen digits, or a decimal; the bits of a float64.</summary>
    Double,

    /// <summary>One character.</summary>
    Mark,

    /// <summary>Characters between quotes.</summary>
    Text,

    /// <summary>No more.</summary>
    End,
}

/// <summary>A token.</summary>
/// <param name="Kind">Kind.</param>
/// <param name="Text">As written.</param>
/// <param name="Bits">Value of a number.</param>
/// <param name="Line">From 1.</param>
internal readonly record struct Token(TokenKind Kind, string Text, ulong Bits, int Line);

/// <summary>Splits PTX into tokens.</summary>
internal sealed class PtxLexer
{
    private readonly string _text;
    private int _position;
    private int _line = 1;

    private PtxLexer(string text) => _text = text;

    /// <summary>All tokens of a text; the last is <see cref="TokenKind.End"/>.</summary>
    public static List<Token> Split(string text)
    {
        var lexer = new PtxLexer(text);
        var tokens = new List<Token>(text.Length / 4);
        do
        {
            tokens.Add(lexer.Next());
        }
        while (tokens[^1].Kind != TokenKind.End);
        return tokens;
    }

    private char Peek(int ahead = 0) => _position + ahead < _text.Length ? _text[_position + ahead] : '\0';

    private Token Next()
    {
        SkipSpace();
        if (_position >= _text.Length || Peek() == '\0')
            return new Token(TokenKind.End, "the end", 0, _line);
        char first = Peek();
        if (char.IsAsciiDigit(first))
            return Number();
        if (IsWordStart(first))
            return Word();
        if (first == '"')
            return Quoted();
        _position++;
        return new Token(TokenKind.Mark, first.ToString(), 0, _line);
    }

    private void SkipSpace()
    {
        while (_position < _text.Length)
        {
            if (Peek() == '/' && Peek(1) == '/')
            {
                while (_position < _text.Length && Peek() != '\n')
                    _position++;
            }
            else if (Peek() == '/' && Peek(1) == '*')
            {
                int end = _text.IndexOf("*/", _position + 2, StringComparison.Ordinal);
                if (end < 0)
                    throw new PtxSyntaxException(_line, "a comment does not end.");
                _line += _text.AsSpan(_position, end - _position).Count('\n');
                _position = end + 2;
            }
            else if (char.IsWhiteSpace(Peek()))
            {
                if (Peek() == '\n')
                    _line++;
                _position++;
            }
            else
            {
                return;
            }
        }
    }

    private static bool IsWordStart(char c) => char.IsAsciiLetter(c) || c is '_' or '$' or '%' or '.';

    private Token Word()
    {
        int start = _position;
        while (true)
        {
            if (IsWordStart(Peek()) || char.IsAsciiDigit(Peek()))
                _position++;
            else if (Peek() == ':' && Peek(1) == ':')
                _position += 2;
            else
                break;
        }
        return new Token(TokenKind.Word, _text[start.._position], 0, _line);
    }

    private Token Quoted()
    {
        int end = _text.IndexOf('"', _position + 1);
        if (end < 0)
            throw new PtxSyntaxException(_line, "a string does not end.");
        string text = _text[(_position + 1)..end];
        var token = new Token(TokenKind.Text, text, 0, _line);
        _line += text.AsSpan().Count('\n');
        _position = end + 1;
        return token;
    }

    private Token Number()
    {
        int start = _position;
        while (char.IsAsciiLetterOrDigit(Peek()) || Peek() == '.' || (Peek() is '+' or '-' && IsExponent(start)))
            _position++;
        string text = _text[start.._position];
        char kind = text.Length > 1 && text[0] == '0' ? char.ToLowerInvariant(text[1]) : '\0';
        string digits = text.EndsWith('U') ? text[..^1] : text;
        try
        {
            return kind switch
            {
                'f' when text.Length == 10 => new Token(TokenKind.Single, text, Convert.ToUInt32(text[2..], 16), _line),
                'd' when text.Length == 18 => new Token(TokenKind.Double, text, Convert.ToUInt64(text[2..], 16), _line),
                'x' => new Token(TokenKind.Integer, text, Convert.ToUInt64(digits[2..], 16), _line),
                'b' => new Token(TokenKind.Integer, text, Convert.ToUInt64(digits[2..], 2), _line),
                _ when text.AsSpan().ContainsAny('.', 'e', 'E') => new Token(
                    TokenKind.Double, text,
                    BitConverter.DoubleToUInt64Bits(double.Parse(text, CultureInfo.InvariantCulture)), _line),
                _ when digits.Length > 1 && digits[0] == '0' =>
                    new Token(TokenKind.Integer, text, Convert.ToUInt64(digits, 8), _line),
                _ => new Token(TokenKind.Integer, text, ulong.Parse(digits, CultureInfo.InvariantCulture), _line),
            };
        }
        catch (Exception error) when (error is FormatException or OverflowException or ArgumentException)
        {
            throw new PtxSyntaxException(_line, $"'{text}' is not a number.");
        }
    }

    // A sign continues a decimal after its exponent's letter, but not a hexadecimal number.
    private bool IsExponent(int start) =>
        _position > start && _text[_position - 1] is 'e' or 'E'
            && !(_text[start] == '0' && _text[start + 1] is 'x' or 'X' or 'f' or 'd');
}
