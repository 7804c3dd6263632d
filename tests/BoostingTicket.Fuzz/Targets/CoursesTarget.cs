using System.Text;
using BoostingTicket.Fuzz.Mutation;
using BoostingTicket.Runs.Experiments.Speed;

namespace BoostingTicket.Fuzz.Targets;

/// <summary>Tables of epochs that other programs write beside <c>experiment speed</c>.</summary>
internal sealed class CoursesTarget : FuzzTarget
{
    public override string Name => "courses";

    public override InputForm Form => InputForm.Binary;

    public override int Weight => 300;

    public override void Execute(byte[] input)
    {
        IReadOnlyList<CoursePoint> points = CourseFile.Read(Scratch.Write("courses.csv", input));
        // What is read can be written, and says the same then.
        string written = CourseFile.Write(points);
        ReportsTarget.Require(written);
        if (!CourseFile.Read(Scratch.Write("again.csv", Encoding.UTF8.GetBytes(written))).SequenceEqual(points))
            throw new InvalidOperationException("a table changes by being written");
    }

    protected override IEnumerable<byte[]> Seeds()
    {
        string[] rows =
        [
            "resnet18-w16,TorchSharp float32,0,1,839.4,482.9,0.375,0.264,1000",
            "resnet18-w16,TorchSharp float32,0,2,1767,1045.04,0.429,0.271,1000",
            "vgg16-w16,another,18446744073709551615,1,1e3,1e-3,1,0,1",
        ];
        string table = string.Join('\n', [CourseFile.Header, .. rows]);
        return ((string[])[table, table.Replace("\n", "\r\n", StringComparison.Ordinal) + "\r\n", CourseFile.Header, ""])
            .Select(Encoding.UTF8.GetBytes);
    }
}
