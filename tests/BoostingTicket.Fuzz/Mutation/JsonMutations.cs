using System.Text;
using System.Text.Json;

namespace BoostingTicket.Fuzz.Mutation;

/// <summary>Mutations of JSON text by its tokens: values of other kinds, numbers at limits, texts that harm, members named twice
/// or left
/// out, deep nesting. Texts that are JSON themselves are mutated inside.</summary>
internal static class JsonMutations
{
    private static readonly string[] Values =
    [
        "null", "true", "{}", "[]", "[null]", "{\"a\":null}", "\"\"", "0", "-1", "1e308", "\"NaN\"", "\"Infinity\"", "[[]]", "1",
            "\"x\"", "0.5",
    ];

    private static readonly string[] Numbers =
    [
        "0", "-0", "1", "-1", "2", "0.5", "1.0000001", "-0.0000001", "1e-320", "1e308", "-1e308", "1e309", "127", "255", "256",
            "65536", "1000000", "50000000",
        "2147483647", "2147483648", "-2147483648", "4294967296", "9223372036854775807", "9223372036854775808",
            "-9223372036854775808",
        "1152921504606846976", "18446744073709551616", "3.5", "00", "1.", "\"NaN\"", "\"8/255\"", "1e3",
    ];

    private static readonly string[] Texts =
    [
        "\\ud800", "\\udc00x", "\\u0000", "\\u001b]0;x\\u0007", "\\u001b[2J", "\\u202e", "\\u0085", "=1+1", "|", "<b>", "\\n",
            "..", ".", "/", "", "none", "NaN",
        "\\\"", "\\\\", "a b", "é", "\\ud83d\\ude00", "8/0", "1e999/1e-999", "999999ep", "-1it", "101%", "global",
            "lenet-4096-4096-4096", "wrn-1000-10", "resnet18",
    ];

    /// <summary>One mutation.</summary>
    public static byte[] Apply(byte[] json, Random random)
    {
        List<Token> tokens = Scan(json);
        if (tokens.Count == 0)
            return ByteMutations.Apply(json, random);
        Token token = tokens[random.Next(tokens.Count)];
        switch (random.Next(10))
        {
            case 0:
                return Replace(json, token, Pick(Values, random));
            case 1:
                return Remove(json, token);
            case 2 or 3:
                Token member = tokens[random.Next(tokens.Count)];
                return [.. json.AsSpan(0, member.End), (byte)',', .. json.AsSpan(member.Start, member.Length),
                    .. json.AsSpan(member.End)];
            case 4:
                Token other = tokens[random.Next(tokens.Count)];
                return [.. json.AsSpan(0, token.Start), .. json.AsSpan(other.Start, other.Length), .. json.AsSpan(token.End)];
            case 5 when random.Next(4) == 0:
                int depth = 1 << random.Next(1, 9);
                return Replace(json, token, new string('[', depth) + new string(']', depth));
            case 6 when random.Next(4) == 0:
                return Replace(json, token,
                    $"\"{new string(Pick(["a", ".", " ", "é", "|"], random)[0], 1 << random.Next(4, 15))}\"");
        }

        return token.Kind switch
        {
            TokenKind.Number => Replace(json, token, Pick(Numbers, random)),
            TokenKind.Text => MutateText(json, token, random),
            _ => Replace(json, token, Pick(Values, random)),
        };
    }

    private static byte[] MutateText(byte[] json, Token token, Random random)
    {
        if (token.Length > 4 && json[token.Start + 1] == (byte)'{')
        {
            try
            {
                string inner = JsonSerializer.Deserialize<string>(json.AsSpan(token.Start, token.Length)) ?? "";
                byte[] mutated = Apply(Encoding.UTF8.GetBytes(inner), random);
                return Replace(json, token, JsonSerializer.Serialize(Encoding.UTF8.GetString(mutated)));
            }
            catch (Exception error) when (error is JsonException or InvalidOperationException)
            {
                // No text any more; mutated as bytes are.
            }
        }

        string text = Pick(Texts, random);
        int inside = token.Start + 1 + random.Next(Math.Max(token.Length - 1, 1));
        return random.Next(2) == 0
            ? Replace(json, token, random.Next(3) == 0 ? $"\"{Pick(Numbers, random).Trim('"')}\"" : $"\"{text}\"")
            : [.. json.AsSpan(0, inside), .. Encoding.UTF8.GetBytes(text), .. json.AsSpan(inside)];
    }

    private static byte[] Replace(byte[] json, Token token, string text) =>
        [.. json.AsSpan(0, token.Start), .. Encoding.UTF8.GetBytes(text), .. json.AsSpan(token.End)];

    // With a comma at one of its sides, so that the rest stays a document.
    private static byte[] Remove(byte[] json, Token token)
    {
        int start = token.Start, end = token.End;
        if (end < json.Length && json[end] == (byte)',')
            end++;
        else if (start > 0 && json[start - 1] == (byte)',')
            start--;
        return [.. json.AsSpan(0, start), .. json.AsSpan(end)];
    }

    private static string Pick(string[] choices, Random random) => choices[random.Next(choices.Length)];

    private static List<Token> Scan(byte[] json)
    {
        var tokens = new List<Token>();
        var open = new Stack<int>();
        int name = -1;
        for (int i = 0; i < json.Length;)
        {
            int start = i;
            switch (json[i])
            {
                case (byte)'"':
                    for (i++; i < json.Length && json[i] != (byte)'"'; i++)
                        i += json[i] == (byte)'\\' ? 1 : 0;
                    i = Math.Min(i + 1, json.Length);
                    Add(TokenKind.Text, start, i);
                    break;
                case (byte)'{' or (byte)'[':
                    open.Push(i++);
                    name = -1;
                    break;
                case (byte)'}' or (byte)']':
                    i++;
                    if (open.TryPop(out int begin))
                        tokens.Add(new Token(TokenKind.Group, begin, i));
                    break;
                case (byte)'-' or (>= (byte)'0' and <= (byte)'9'):
                    for (; i < json.Length && json[i] is (byte)'-' or (byte)'+' or (byte)'.' or (byte)'e' or (byte)'E'
                        or (>= (byte)'0' and <= (byte)'9');)
                        i++;
                    Add(TokenKind.Number, start, i);
                    break;
                case >= (byte)'a' and <= (byte)'z':
                    while (i < json.Length && json[i] is >= (byte)'a' and <= (byte)'z')
                        i++;
                    Add(TokenKind.Word, start, i);
                    break;
                default:
                    i++;
                    break;
            }
        }

        return tokens;

        // A name and its value together are a token too, so that members are repeated, removed and moved.
        void Add(TokenKind kind, int start, int end)
        {
            tokens.Add(new Token(kind, start, end));
            if (kind == TokenKind.Text && end < json.Length && json[end] == (byte)':')
                name = start;
            else if (name >= 0)
            {
                tokens.Add(new Token(TokenKind.Group, name, end));
                name = -1;
            }
        }
    }

    private enum TokenKind
    {
        Text,
        Number,
        Word,
        Group,
    }

    private readonly record struct Token(TokenKind Kind, int Start, int End)
    {
        public int Length => End - Start;
    }
}
