using System.Text;

namespace BoostingTicket.Fuzz.Mutation;

/// <summary>Mutations of command lines, a word a line.</summary>
internal static class WordMutations
{
    private static readonly string[] Words =
    [
        "", "-", "--", "--json", "--out", "--config", "--seed", "--threads", "--device", "cpu", "--help", "-1", "0",
            "99999999999999999999", "1e309", "NaN", "8/0", "8/255",
        "nowhere", "w.safetensors", "bad.safetensors", "settings.json", ".", "a/b", "none", "--preset", "quick", "--model",
            "lenet-4096-4096-4096", "wrn-9999-9", "\u001b[2J", "é",
        "\ud83d\ude00", "\u202e", "--epochs", "--epsilon", "--arms", "dense,dense", "--dataset", "mnist", "--width", "--ratio",
            "--attack", "pgd,", "@file", "\"", "a=b", "--out=",
        "--quiet", "--no-color", "--prefix", "module.", "--style", "robustbench", "--normalization", "0.5/0.2", "cifar10",
            "--top", "--resume", "--data", "--image-size",
    ];

    /// <summary>One mutation.</summary>
    public static byte[] Apply(byte[] input, Random random)
    {
        List<string> words = [.. Encoding.UTF8.GetString(input).Split('\n')];
        int at = random.Next(words.Count);
        switch (random.Next(7))
        {
            case 0:
                words.Insert(at, Words[random.Next(Words.Length)]);
                break;
            case 1:
                words.RemoveAt(at);
                break;
            case 2:
                words.Insert(at, words[random.Next(words.Count)]);
                break;
            case 3:
                words[at] = new string("a.-/ "[random.Next(5)], 1 << random.Next(12));
                break;
            case 4:
                words[at] = Encoding.UTF8.GetString(ByteMutations.Apply(Encoding.UTF8.GetBytes(words[at]), random))
                    .Replace('\n', ' ');
                break;
            default:
                words[at] = Words[random.Next(Words.Length)];
                break;
        }

        return Encoding.UTF8.GetBytes(string.Join('\n', words));
    }
}
