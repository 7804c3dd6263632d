using BoostingTicket.Engine.Backends;
using BoostingTicket.Figures;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training.Pruning;
using Mono.Cecil;
using Mono.Cecil.Cil;

namespace BoostingTicket.Cli.Tests.Structure;

/// <summary>Which folder may use which, read off the compiled assemblies: docs/architecture.md draws the same layers.</summary>
internal sealed class FolderArrowsTests
{
    // A folder uses folders of earlier lines alone, so that there are no circles. A new folder finds its line here.
    private static readonly string[][] Layers =
    [
        ["Engine.Tensors"],
        ["Engine.Backends"],
        ["Engine.Ranks"],
        ["Engine.Cpu", "Engine.Cuda"],
        ["Engine.Devices"],
        ["Engine.Graph"],
        ["Engine.Plans"],
        ["Training"],
        ["Training.Files"],
        ["Training.Progress"],
        ["Training.Models"],
        ["Training.Data"],
        ["Training.Ranks"],
        ["Training.Attacks", "Training.Pruning"],
        ["Training.Evaluation"],
        ["Training.Optimization"],
        ["Training.Checkpoints"],
        ["Training.Classifiers"],
        ["Training.Workers"],
        ["Runs.Folders"],
        ["Runs.Configuration"],
        ["Runs.Stages"],
        ["Runs.Reporting"],
        ["Runs.Experiments"],
        ["Runs.Collections"],
        ["Runs.Profiling"],
        ["Figures"],
        ["Cli.Streams"],
        ["Cli.Progress", "Cli.Signals"],
        ["Cli.Hosting"],
        ["Cli.Slurm"],
        ["Cli.Commands"],
        ["Cli"],
    ];

    // What the order of lines allows and should not be: networks are computed by a backend, whichever it is. Profiling plans for
    // GPUs that are not there.
    private static readonly Dictionary<string, string[]> Users = new()
    {
        ["Engine.Cpu"] = ["Engine.Devices"],
        ["Engine.Cuda"] = ["Engine.Devices", "Runs.Profiling"],
    };

    [Test]
    public void A_folder_uses_folders_of_earlier_layers_alone()
    {
        var wrong = new List<string>();
        foreach ((string from, SortedDictionary<string, string> uses) in Arrows())
        {
            int layer = Array.FindIndex(Layers, line => line.Contains(from));
            if (layer < 0)
                wrong.Add($"{from} has no layer");
            foreach ((string to, string example) in uses)
            {
                if (Array.FindIndex(Layers, line => line.Contains(to)) >= layer)
                    wrong.Add($"{from} uses {to}, which is no earlier layer: {example}");
                if (Users.TryGetValue(to, out string[]? users) && !users.Contains(from))
                    wrong.Add($"{from} uses {to}, which is for {string.Join(" and ", users)}: {example}");
            }
        }

        Assert.That(wrong, Is.Empty, () => string.Join('\n', wrong));
    }

    [Test]
    public void Every_layer_is_a_folder_of_today() =>
        Assert.That(Layers.SelectMany(line => line), Is.EquivalentTo(Arrows().Keys));

    [Test]
    public void An_arrow_is_seen_wherever_a_type_is_named()
    {
        using AssemblyDefinition tests = AssemblyDefinition.ReadAssembly(typeof(FolderArrowsTests).Assembly.Location);
        TypeDefinition user = tests.MainModule.GetType(typeof(FolderArrowsTests).FullName + "/" + nameof(User));
        string[] seen = [.. Uses(user).Select(type => type.Name).Distinct()];
        Assert.That(
            seen,
            Is.SupersetOf([nameof(Base), nameof(Field), nameof(Parameter), nameof(Argument), nameof(Local), nameof(
                Called), nameof(MarkedAttribute)]));
    }

    private class Base;

    private sealed class Field;

    private sealed class Parameter;

    private sealed class Argument;

    private sealed class Local;

    private static class Called
    {
        public static void Nothing()
        {
        }
    }

    [AttributeUsage(AttributeTargets.Class)]
    private sealed class MarkedAttribute : Attribute;

    [Marked]
    private sealed class User : Base
    {
        public static Field? Known { get; set; }

        public static void Take(List<Parameter[]> taken)
        {
            Called.Nothing();
            object made = Activator.CreateInstance<Argument>();
            taken.Clear();
            GC.KeepAlive(made);
            GC.KeepAlive(typeof(Local));
        }
    }

    // Folder -> folder used -> an example of a type that uses it.
    private static Dictionary<string, SortedDictionary<string, string>> Arrows()
    {
        var arrows = new Dictionary<string, SortedDictionary<string, string>>();
        Type[] assemblies = [
            typeof(IBackend), typeof(Mask), typeof(RunConfiguration), typeof(FigureRenderer), typeof(Application)];
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
            .. type.GenericParameters.SelectMany(parameter => parameter.Constraints).Select(
                constraint => constraint.ConstraintType),
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
