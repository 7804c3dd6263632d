using System.Reflection;
using System.Text.Json;

namespace BoostingTicket.Runs.Configuration;

/// <summary>The settings that a <see cref="RunConfiguration"/> consists of, read off the records themselves, so that a new
/// property is known to files and checks as soon as it exists.</summary>
internal static class ConfigurationSchema
{
    /// <summary>The configuration itself.</summary>
    public static SettingNode Root { get; } = SettingNode.Of(typeof(RunConfiguration));

    /// <summary>Every single setting, in the order of the records.</summary>
    public static IReadOnlyList<SettingNode> Leaves { get; } = [.. Root.Descendants().Where(node => node.IsLeaf)];

    /// <summary>The setting of a path.</summary>
    /// <param name="path">Such as <c>donor.learningRate</c>.</param>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static SettingNode Leaf(string path) =>
        Leaves.FirstOrDefault(leaf => leaf.Path == path)
            ?? throw new ArgumentException($"no setting has the path {path}", nameof(path));
}

/// <summary>A setting or a group of settings.</summary>
/// <param name="Name">Its name in its group.</param>
/// <param name="Path">Its names from the root on, with dots between.</param>
/// <param name="Type">Type of the value, without the <c>?</c>.</param>
/// <param name="OptionalPath">Path of this setting, or of the group around it, that may be absent (<c>null</c>); null when
/// neither may.</param>
/// <param name="Children">Settings of the group; empty for a single setting.</param>
internal sealed record SettingNode(
    string Name, string Path, Type Type, string? OptionalPath, IReadOnlyList<SettingNode> Children)
{
    /// <summary>Whether this is a single setting and no group.</summary>
    public bool IsLeaf => Children.Count == 0;

    /// <summary>Type of the items where the value is a list, else null.</summary>
    public Type? ItemType => Type.IsGenericType && Type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>)
        ? Type.GetGenericArguments()[0]
        : null;

    /// <summary>All settings and groups below this one, in order.</summary>
    public IEnumerable<SettingNode> Descendants() => Children.SelectMany(child => child.Descendants().Prepend(child));

    /// <summary>The tree of a type.</summary>
    internal static SettingNode Of(Type type) => new("", "", type, null, ChildrenOf(type, "", null));

    private static List<SettingNode> ChildrenOf(Type type, string prefix, string? optional)
    {
        var nullability = new NullabilityInfoContext();
        var children = new List<SettingNode>();
        foreach (PropertyInfo property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(
            property => property.CanWrite))
        {
            string name = JsonNamingPolicy.CamelCase.ConvertName(property.Name);
            string path = prefix + name;
            Type? underlying = Nullable.GetUnderlyingType(property.PropertyType);
            bool mayBeNull = underlying is not null || nullability.Create(property).WriteState == NullabilityState.Nullable;
            Type value = underlying ?? property.PropertyType;
            string? optionalPath = mayBeNull ? path : optional;
            bool isGroup = value.IsClass && value != typeof(string);
            children.Add(new SettingNode(
                name, path, value, optionalPath, isGroup ? ChildrenOf(value, path + ".", optionalPath) : []));
        }

        return children;
    }
}
