using System.Reflection;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing;
using BoostingTicket.Engine.Testing.Operations;

namespace BoostingTicket.Engine.Tests.Reference;

/// <summary>The operation table itself: it keeps the contracts, covers every operation, and finds faults.</summary>
internal sealed class OperationTableOnReferenceTests
{
    [Test]
    public void Every_case_keeps_the_contracts()
    {
        Assert.Multiple(() =>
        {
            foreach (OperationCase operation in OperationTable.Cases)
            {
                using var backend = new ReferenceBackend();
                Assert.DoesNotThrow(() => operation.Run(backend), operation.Name);
            }
        });
    }

    [Test]
    public void Names_are_unique() =>
        Assert.That(OperationTable.Cases.Select(operation => operation.Name), Is.Unique);

    [Test]
    public void Every_operation_has_cases()
    {
        string[] plumbing =
        [
            nameof(IBackend.DescribeTensor), nameof(IBackend.DescribeImages), nameof(IBackend.Repeat),
            nameof(IBackend.CreateArena), nameof(IBackend.Place),
            nameof(IBackend.CreateFloats), nameof(IBackend.CreateInts), nameof(IBackend.CreateFilter),
            nameof(IBackend.CreateImageStore), nameof(IBackend.Upload), nameof(IBackend.Download),
            nameof(IBackend.Synchronize), nameof(IBackend.CreateReading), nameof(IBackend.ForecastConvolution),
        ];
        IEnumerable<string> operations = typeof(IBackend).GetMethods(BindingFlags.Public | BindingFlags.Instance)
            .Where(method => !method.IsSpecialName).Select(method => method.Name).Distinct().Except(plumbing);
        foreach (string operation in operations)
            Assert.That(OperationTable.Cases.Count(row => row.Name.Contains(operation)), Is.AtLeast(4), operation);
    }

    [Test]
    public void Finds_a_wrong_value() =>
        Finds(
            new Faulty { After = (backend, y) => Change(backend, y, 3, value => value + 1e-3) }, "y", "normalised squared error");

    [Test]
    public void Finds_a_small_value_that_should_be_zero() =>
        Finds(
            new Faulty { AfterBackward = (backend, dx) => Change(backend, dx, value => value == 0, value => value + 1e-30) },
            "dx", "exactly 0 is required", "ElementwiseBackward");

    [Test]
    public void Finds_NaN_and_names_the_first() =>
        Finds(new Faulty { After = (backend, y) => Change(backend, y, 5, _ => double.NaN) }, "y[5]", "the first NaN");

    [Test]
    public void Finds_a_changed_operand() =>
        Finds(new Faulty { Before = (backend, x) => Change(backend, x, 2, value => -value) }, "x must not change, but value 2");

    [Test]
    public void Finds_a_value_left_as_it_was() =>
        Finds(new Faulty { Skip = true }, "nobody wrote");

    [Test]
    public void Finds_writes_beside_a_slice()
    {
        using var backend = new FillsOneTooMany();
        OperationCase operation = OperationTable.Cases.First(row => row.Name.StartsWith("Sum 17", StringComparison.Ordinal));
        Assert.That(
            () => OperationRunner.Check(operation, backend),
            Throws.TypeOf<OperationFailedException>().With.Message.Contains("the guard after values must not change"));
    }

    [Test]
    public void Finds_writes_beside_a_tensor()
    {
        using var backend = new Faulty { After = (reference, y) => Faulty.Neighbour(reference, y) };
        Assert.That(
            () => OperationRunner.Check(Find("ElementwiseForward"), backend),
            Throws.TypeOf<OperationFailedException>().With.Message.Contains("guard").And.Message.Contains("must not change"));
    }

    [Test]
    public void A_group_reports_each_failing_case_by_name()
    {
        OperationGroup group = OperationTable.Groups.First(row => row.Name == "ElementwiseForward 3x5x7");
        using var sound = new Faulty();
        Assert.That(OperationRunner.Failures(group, sound), Is.Empty);
        using var faulty = new Faulty { After = (backend, y) => Change(backend, y, 5, _ => double.NaN) };
        IReadOnlyList<string> failures = OperationRunner.Failures(group, faulty);
        Assert.That(failures, Has.Count.EqualTo(group.Cases.Count));
        Assert.That(failures, Has.One.StartsWith("ElementwiseForward 3x5x7 batch 17 relu: y[5]"));
        using var broken = new Faulty { After = (_, _) => throw new DivideByZeroException() };
        Assert.That(
            OperationRunner.Failures(group, broken), Has.All.Contains("DivideByZero").And.Some.Contains("batch 17 relu"));
    }

    [Test]
    public void Groups_hold_every_case() =>
        Assert.That(OperationTable.Groups.SelectMany(group => group.Cases), Is.EquivalentTo(OperationTable.Cases));

    private static OperationCase Find(string prefix) =>
        OperationTable.Cases.First(row => row.Name.StartsWith($"{prefix} 3x5x7 batch 17", StringComparison.Ordinal));

    private static void Finds(Faulty backend, string word, string otherWord = "", string operation = "ElementwiseForward")
    {
        using (backend)
        {
            string message = Assert.Catch(() => OperationRunner.Check(Find(operation), backend))!.Message;
            Assert.That(message, Does.Contain(word).And.Contain(otherWord));
        }
    }

    private static void Change(ReferenceBackend backend, Tensor tensor, int index, Func<double, double> change)
    {
        double[] values = backend.Values(tensor);
        values[index] = change(values[index]);
        backend.SetValues(tensor, values);
    }

    private static void Change(
        ReferenceBackend backend, Tensor tensor, Predicate<double> where, Func<double, double> change)
    {
        double[] values = backend.Values(tensor);
        int index = Array.FindIndex(values, where);
        values[index] = change(values[index]);
        backend.SetValues(tensor, values);
    }

    /// <summary>A reference whose elementwise operations do something wrong.</summary>
    private sealed class Faulty : ReferenceBackend
    {
        public bool Skip { get; init; }

        public Action<ReferenceBackend, Tensor>? Before { get; init; }

        public Action<ReferenceBackend, Tensor>? After { get; init; }

        public Action<ReferenceBackend, Tensor>? AfterBackward { get; init; }

        public override void ElementwiseForward(Tensor x, Tensor y, in ForwardEpilogue epilogue)
        {
            Before?.Invoke(this, x);
            if (!Skip)
                base.ElementwiseForward(x, y, epilogue);
            After?.Invoke(this, y);
        }

        public override void ElementwiseBackward(Tensor dy, Tensor dx, in GradientEpilogue epilogue)
        {
            base.ElementwiseBackward(dy, dx, epilogue);
            AfterBackward?.Invoke(this, dx);
        }

        /// <summary>Writes the value behind a tensor.</summary>
        public static void Neighbour(ReferenceBackend backend, Tensor tensor)
        {
            Region region = ((ReferenceTensor)tensor).Memory("test", "tensor");
            int behind = (region.Start + region.Length + 7) / 8 * 8;
            region.Memory[behind] = 1;
        }
    }

    /// <summary>A reference whose sum clears the value behind its operand.</summary>
    private sealed class FillsOneTooMany : ReferenceBackend
    {
        public override double Sum(BufferSlice values)
        {
            double sum = base.Sum(values);
            Fill(values with { Offset = values.Offset + values.Length, Length = 1 }, 0);
            return sum;
        }
    }
}
