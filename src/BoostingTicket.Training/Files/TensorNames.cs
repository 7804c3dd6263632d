using System.Globalization;

namespace BoostingTicket.Training.Files;

/// <summary>Names of tensors in messages.</summary>
internal static class TensorNames
{
    /// <summary>What is the matter with some tensors, such as <c>lacks tensors 'a', 'b', 'c' and 2 more</c>; empty for
    /// none.</summary>
    public static string List(string verb, IReadOnlyList<string> names)
    {
        const int Shown = 3;
        if (names.Count == 0)
            return "";
        string list = string.Join(", ", names.Take(Shown).Select(name => $"'{name}'"));
        string more = names.Count > Shown ? string.Create(CultureInfo.InvariantCulture, $" and {names.Count - Shown} more") : "";
        return $"{verb} {(names.Count == 1 ? "tensor" : "tensors")} {list}{more}";
    }
}
