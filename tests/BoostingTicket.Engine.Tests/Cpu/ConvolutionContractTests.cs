using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing;
using static BoostingTicket.Engine.Tests.Cpu.ConvolutionTests;
using Function = BoostingTicket.Engine.Backends.Activation;

namespace BoostingTicket.Engine.Tests.Cpu;

/// <summary>What convolutions promise beside their values: the same bits for any number of threads, no garbage, and clear
/// refusals.</summary>
internal sealed class ConvolutionContractTests
{
    private const FilterUses AllUses = FilterUses.Forward | FilterUses.BackwardInput | FilterUses.BackwardFilter;

    private static readonly (int Batch, ConvolutionShape Shape)[] Cases = [
        (16, new(new(20, 12, 12), 24, 3, 3, 1, 1)),
        (100, new(new(20, 4, 4), 24, 3, 3, 1, 1)),
        (40, new(new(70, 8, 8), 30, 3, 3, 2, 1)),
        (80, ConvolutionShape.Linear(new FeatureShape(600), 40)),
    ];

    [TestCaseSource(nameof(Cases))]
    public void Results_are_bit_identical_for_any_number_of_threads((int Batch, ConvolutionShape Shape) operation)
    {
        float[][] one = Compute(operation.Batch, operation.Shape, 1);
        foreach (int threads in new[] { 2, 3, 4 })
        {
            float[][] many = Compute(operation.Batch, operation.Shape, threads);
            for (int i = 0; i < one.Length; i++)
                Assert.That(many[i].AsSpan().SequenceEqual(one[i]), $"result {i} on {threads} threads");
        }
    }

    [Test]
    public void Computing_allocates_nothing_on_the_managed_heap([Values(1, 2)] int threads)
    {
        const int Batch = 40;
        var shape = new ConvolutionShape(new(10, 8, 8), 12, 3, 3, 1, 1);
        using ConvolutionRunner runner = ConvolutionRunner.Create(InstructionSets.Best, threads);
        Filter filter = runner.NewFilter(shape, AllUses, Values(shape.WeightCount, 1));
        BufferSlice dw = runner.NewBuffer(new float[shape.WeightCount]), db = runner.NewBuffer(new float[12]);
        var source = new FilterSource(runner.NewBuffer(Values(shape.WeightCount, 2)), null, 0, null);
        Tensor x = runner.NewTensor(Batch, shape.Input, Values(Batch * shape.Input.Length, 3));
        Tensor dy = runner.NewTensor(Batch, shape.Output, Values(Batch * shape.Output.Length, 4));
        Tensor y = runner.NewTensor(Batch, shape.Output), dx = runner.NewTensor(Batch, shape.Input);
        Assert.That(Allocations.LeastBytes(Step), Is.Zero, "bytes allocated");

        void Step()
        {
            runner.Prepare(filter, source);
            runner.Forward(filter, x, y, new ForwardEpilogue(db, null, Function.Relu));
            runner.BackwardInput(filter, dy, dx, new GradientEpilogue(null, x));
            runner.BackwardFilter(filter, x, dy, dw);
            runner.Bias(dy, db);
        }
    }

    [Test]
    public void Use_that_the_filter_was_not_made_for_is_refused()
    {
        var shape = new ConvolutionShape(new(3, 4, 4), 5, 3, 3, 1, 1);
        using ConvolutionRunner runner = ConvolutionRunner.Create(InstructionSets.Best, 1);
        Filter filter = runner.NewFilter(shape, FilterUses.Forward, Values(shape.WeightCount, 1));
        Tensor x = runner.NewTensor(2, shape.Input), dy = runner.NewTensor(2, shape.Output);
        BufferSlice dw = runner.NewBuffer(new float[shape.WeightCount]);
        Assert.Multiple(() =>
        {
            Assert.That(filter.Uses, Is.EqualTo(FilterUses.Forward));
            Assert.That(() => runner.BackwardInput(filter, dy, x, default), Throws.InvalidOperationException);
            Assert.That(() => runner.BackwardFilter(filter, x, dy, dw), Throws.InvalidOperationException);
        });
    }

    [Test]
    public void Operands_that_do_not_fit_are_refused()
    {
        var shape = new ConvolutionShape(new(3, 4, 4), 5, 3, 3, 1, 1);
        using ConvolutionRunner runner = ConvolutionRunner.Create(InstructionSets.Best, 1);
        Filter filter = runner.NewFilter(shape, AllUses, Values(shape.WeightCount, 1));
        Tensor x = runner.NewTensor(2, shape.Input), y = runner.NewTensor(2, shape.Output);
        Tensor smaller = runner.NewTensor(2, new FeatureShape(5, 3, 4)), fewer = runner.NewTensor(1, shape.Output);
        BufferSlice tooShort = runner.NewBuffer(new float[4]);
        Assert.Multiple(() =>
        {
            Assert.That(() => runner.Forward(filter, x, smaller, default), Throws.ArgumentException);
            Assert.That(() => runner.Forward(filter, x, fewer, default), Throws.ArgumentException);
            Assert.That(
                () => runner.Forward(filter, x, y, new ForwardEpilogue(tooShort, null, Function.None)), Throws.ArgumentException);
            Assert.That(
                () => runner.Forward(filter, x, y, new ForwardEpilogue(null, fewer, Function.None)), Throws.ArgumentException);
            Assert.That(() => runner.BackwardFilter(filter, x, y, tooShort), Throws.ArgumentException);
            Assert.That(() => runner.Bias(y, tooShort), Throws.ArgumentException);
            Assert.That(
                () => runner.Prepare(filter, new FilterSource(tooShort, null, 0, null)), Throws.ArgumentException);
            Assert.That(
                () => runner.CreateFilter(new ConvolutionShape(new(3, 2, 2), 5, 5, 5, 1, 1), AllUses),
                Throws.ArgumentException);
        });
    }

    private static float[][] Compute(int batch, ConvolutionShape shape, int threads)
    {
        using ConvolutionRunner runner = ConvolutionRunner.Create(InstructionSets.Best, threads);
        Filter filter = runner.NewFilter(shape, AllUses, Values(shape.WeightCount, 1));
        Tensor x = runner.NewTensor(batch, shape.Input, Values(batch * shape.Input.Length, 2));
        Tensor dy = runner.NewTensor(batch, shape.Output, Values(batch * shape.Output.Length, 3));
        Tensor y = runner.NewTensor(batch, shape.Output), dx = runner.NewTensor(batch, shape.Input);
        BufferSlice dw = runner.NewBuffer(new float[shape.WeightCount]);
        BufferSlice db = runner.NewBuffer(new float[shape.OutputChannels]);
        runner.Forward(filter, x, y, default);
        runner.BackwardInput(filter, dy, dx, default);
        runner.BackwardFilter(filter, x, dy, dw);
        runner.Bias(dy, db);
        return [runner.Read(y), runner.Read(dx), runner.Read(dw), runner.Read(db)];
    }
}
