using Mono.Cecil;
using Mono.Cecil.Cil;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Figures;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Cli.Tests.Structure;

/// <summary>What may depend on what, read off the compiled assemblies: docs/architecture.md draws the same arrows.</summary>
public class FolderArrowsTests
{
    // A folder and all that it may use. A folder that uses less than it may fails too, so that the table stays the truth.
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
    };

    [Test]
    public void Folders_use_what_the_table_allows_and_nothing_else()
    {
        Dictionary<string, SortedDictionary<string, string>> arrows = Arrows();
        var wrong = new List<string>();
        foreach ((string from, SortedDictionary<string, string> uses) in arrows.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            string[] allowed = Allowed.GetValueOrDefault(from) ?? [];
            wrong.AddRange(uses.Where(use => !allowed.Contains(use.Key)).Select(use => $"{from} -> {use.Key} is new: {use.Value}"));
            wrong.AddRange(allowed.Where(name => !uses.ContainsKey(name)).Select(name => $"{from} -> {name} is in the table, and unused"));
        }
        wrong.AddRange(Allowed.Keys.Where(name => !arrows.ContainsKey(name)).Select(name => $"{name} is in the table, and does not exist"));
        Assert.That(wrong, Is.Empty, () => string.Join('\n', wrong));
    }

    [Test]
    public void No_folders_go_round_in_a_circle()
    {
        Dictionary<string, SortedDictionary<string, string>> arrows = Arrows();
        var done = new HashSet<string>();
        foreach (string start in arrows.Keys)
            Visit(start, []);

        void Visit(string folder, List<string> path)
        {
            int before = path.IndexOf(folder);
            Assert.That(before, Is.EqualTo(-1), () => $"{string.Join(" -> ", path.Skip(before))} -> {folder}");
            if (done.Contains(folder) || !arrows.TryGetValue(folder, out SortedDictionary<string, string>? uses))
                return;
            path.Add(folder);
            foreach (string next in uses.Keys)
                Visit(next, path);
            path.RemoveAt(path.Count - 1);
            done.Add(folder);
        }
    }

    [Test]
    public void An_arrow_is_seen_in_signatures_bodies_and_generic_arguments()
    {
        // Each of these is known to be used in one way alone; the walk below must not lose a way.
        Dictionary<string, SortedDictionary<string, string>> arrows = Arrows();
        Assert.Multiple(() =>
        {
            Assert.That(arrows["Runs.Stages"].Keys, Does.Contain("Training.Optimization"));
            Assert.That(arrows["Engine.Plans"].Keys, Does.Contain("Engine.Backends"));
            Assert.That(arrows["Cli.Commands"].Keys, Does.Contain("Runs.Configuration"));
        });
    }

    // Folder -> folder used -> an example of a type that uses it.
    private static Dictionary<string, SortedDictionary<string, string>> Arrows()
    {
        var arrows = new Dictionary<string, SortedDictionary<string, string>>();
        Type[] assemblies = [typeof(IBackend), typeof(Mask), typeof(RunConfiguration), typeof(FigureRenderer), typeof(Application)];
        foreach (string path in assemblies.Select(type => type.Assembly.Location))
        {
            using AssemblyDefinition assembly = AssemblyDefinition.ReadAssembly(path);
            foreach (TypeDefinition type in assembly.MainModule.GetTypes())
            {
                if (Folder(type) is not { } from)
                    continue;
                SortedDictionary<string, string> uses = arrows.TryGetValue(from, out SortedDictionary<string, string>? known)
                    ? known
                    : arrows[from] = new SortedDictionary<string, string>(StringComparer.Ordinal);
                foreach (TypeReference used in Uses(type))
                {
                    if (Folder(used) is { } to && to != from)
                        uses.TryAdd(to, $"{type.Name} uses {used.Name}");
                }
            }
        }
        return arrows;
    }

    // The project and the folder below it: deeper folders belong to their parent. Null for what is not of this repository.
    private static string? Folder(TypeReference type)
    {
        while (type.DeclaringType is not null)
            type = type.DeclaringType;
        string[] parts = type.Namespace.Split('.');
        return parts[0] != "BoostingTicket" ? null : parts.Length < 3 ? parts[1] : $"{parts[1]}.{parts[2]}";
    }

    private static IEnumerable<TypeReference> Uses(TypeDefinition type)
    {
        IEnumerable<TypeReference?> direct =
        [
            type.BaseType,
            .. type.Interfaces.Select(one => one.InterfaceType),
            .. type.Fields.Select(field => field.FieldType),
            .. type.Properties.Select(property => property.PropertyType),
            .. type.CustomAttributes.Select(attribute => attribute.AttributeType),
            .. type.GenericParameters.SelectMany(parameter => parameter.Constraints).Select(constraint => constraint.ConstraintType),
            .. type.Methods.SelectMany(Uses),
        ];
        return direct.OfType<TypeReference>().SelectMany(Parts);
    }

    private static IEnumerable<TypeReference> Uses(MethodDefinition method)
    {
        yield return method.ReturnType;
        foreach (ParameterDefinition parameter in method.Parameters)
            yield return parameter.ParameterType;
        foreach (GenericParameterConstraint constraint in method.GenericParameters.SelectMany(parameter => parameter.Constraints))
            yield return constraint.ConstraintType;
        if (!method.HasBody)
            yield break;
        foreach (VariableDefinition variable in method.Body.Variables)
            yield return variable.VariableType;
        foreach (Instruction instruction in method.Body.Instructions)
        {
            switch (instruction.Operand)
            {
                case TypeReference type:
                    yield return type;
                    break;
                case FieldReference field:
                    yield return field.DeclaringType;
                    yield return field.FieldType;
                    break;
                case MethodReference called:
                    yield return called.DeclaringType;
                    yield return called.ReturnType;
                    if (called is GenericInstanceMethod generic)
                    {
                        foreach (TypeReference argument in generic.GenericArguments)
                            yield return argument;
                    }
                    break;
            }
        }
    }

    // Arrays, pointers, pointers to functions and generic types are made of others.
    private static IEnumerable<TypeReference> Parts(TypeReference type) => type switch
    {
        GenericInstanceType generic => Parts(generic.ElementType).Concat(generic.GenericArguments.SelectMany(Parts)),
        FunctionPointerType function => function.Parameters.Select(parameter => parameter.ParameterType)
            .Prepend(function.ReturnType).SelectMany(Parts),
        TypeSpecification made => Parts(made.ElementType),
        GenericParameter => [],
        _ => [type],
    };
}
