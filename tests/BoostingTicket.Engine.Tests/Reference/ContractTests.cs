using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing;

namespace BoostingTicket.Engine.Tests.Reference;

/// <summary>The reference backend refuses what the operations' contracts refuse, and says which operation and operand.</summary>
internal sealed class ContractTests
{
    private static readonly FeatureShape Shape = new(3, 4, 4);
    private static readonly ConvolutionShape Same = new(Shape, 3, 3, 3, 1, 1);

    private ReferenceBackend _backend = null!;
    private Workspace _workspace = null!;
    private SeededValues _values = null!;

    [SetUp]
    public void SetUp()
    {
        _backend = new ReferenceBackend();
        _workspace = new Workspace(_backend);
        _values = new SeededValues(TestContext.CurrentContext.Test.Name);
    }

    [TearDown]
    public void TearDown()
    {
        _workspace.Dispose();
        _backend.Dispose();
    }

    [Test]
    public void Refuses_a_tensor_that_was_not_placed()
    {
        Tensor unplaced = _backend.DescribeTensor(2, Shape);
        Refused(() => _backend.Copy(Written(), unplaced), "Copy", "before it was placed");
    }

    [Test]
    public void Refuses_to_read_what_nobody_wrote()
    {
        Tensor empty = _workspace.Tensor(2, Shape);
        Refused(() => _backend.ElementwiseForward(empty, _workspace.Tensor(2, Shape), default),
            "ElementwiseForward reads x", "nobody wrote");
    }

    [Test]
    public void Placing_a_tensor_again_forgets_its_contents()
    {
        Tensor tensor = _backend.DescribeTensor(2, Shape);
        Arena arena = _workspace.Own(_backend.CreateArena(2 * tensor.Bytes));
        _backend.Place(tensor, arena, 0);
        _backend.Upload(_values.Normal(96), tensor);
        _backend.Place(tensor, arena, tensor.Bytes);
        Refused(() => _backend.Values(tensor), "nobody wrote");
    }

    [Test]
    public void Tensors_that_share_memory_really_overwrite_each_other()
    {
        Tensor first = _backend.DescribeTensor(2, Shape), second = _backend.DescribeTensor(2, Shape);
        Arena arena = _workspace.Own(_backend.CreateArena(2 * first.Bytes));
        _backend.Place(first, arena, 0);
        _backend.Place(second, arena, 64);
        _backend.Upload(_values.Normal(96), first);
        Assert.That(_backend.Values(first), Has.Length.EqualTo(96), "placing another tensor there destroys nothing");
        _backend.Upload(_values.Normal(96), second);
        Refused(
            () => _backend.ElementwiseBackward(first, _workspace.Tensor(2, Shape), default),
            $"ElementwiseBackward reads dy {first}", $"Upload wrote tensor {second} into the same memory");
        _backend.Upload(_values.Normal(96), first);
        Refused(() => _backend.Values(second), $"reads tensor {second}", $"wrote tensor {first}");
    }

    [Test]
    public void Tensors_side_by_side_leave_each_other_alone()
    {
        Tensor first = _backend.DescribeTensor(2, Shape), second = _backend.DescribeTensor(2, Shape);
        Arena arena = _workspace.Own(_backend.CreateArena(2 * first.Bytes));
        _backend.Place(first, arena, 0);
        _backend.Place(second, arena, first.Bytes);
        float[] values = _values.Normal(96);
        _backend.Upload(values, first);
        _backend.Upload(_values.Normal(96), second);
        Assert.That(_backend.Values(first), Is.EqualTo(Array.ConvertAll(values, value => (double)value)));
    }

    [Test]
    public void Refuses_a_place_outside_the_arena_or_off_the_alignment()
    {
        Tensor tensor = _backend.DescribeTensor(2, Shape);
        Arena arena = _workspace.Own(_backend.CreateArena(2 * tensor.Bytes));
        Refused(() => _backend.Place(tensor, arena, tensor.Bytes + 64), "Place", "does not fit");
        Refused(() => _backend.Place(tensor, arena, 8), "Place", "alignment");
    }

    [Test]
    public void Refuses_wrong_shapes()
    {
        Tensor x = Written(), smaller = _workspace.Tensor(1, Shape), wider = _workspace.Tensor(2, new FeatureShape(3, 4, 5));
        Refused(() => _backend.ElementwiseForward(x, smaller, default), "ElementwiseForward: y", "must be 2x3x4x4");
        Refused(() => _backend.Copy(x, wider), "Copy: destination", "must be 2x3x4x4");
        Refused(() => _backend.BiasBackward(x, _workspace.Floats(4)), "BiasBackward: db", "needs 3");
        Refused(() => _backend.Upload(_values.Normal(95), x), "95 values");
        Refused(() => _backend.Upload(_values.Normal(3), _workspace.Floats(4)), "4 values and needs 3");
    }

    [Test]
    public void Refuses_slices_outside_their_buffer_and_buffers_that_are_gone()
    {
        FloatBuffer buffer = _backend.CreateFloats(4);
        Refused(() => _backend.Fill(new BufferSlice(buffer, 2, 3), 1), "Fill: destination", "buffer of 4");
        buffer.Dispose();
        Refused(() => _backend.Fill(new BufferSlice(buffer, 0, 1), 1), "Fill: destination", "disposed");
    }

    [Test]
    public void Refuses_aliases_that_the_contract_does_not_allow()
    {
        Tensor x = Written(), other = Written();
        Filter filter = _workspace.Filter(Same, FilterUses.Forward | FilterUses.BackwardInput, Weights());
        Refused(() => _backend.ConvolutionForward(filter, x, x, default), "ConvolutionForward: y shares memory with x");
        Refused(
            () => _backend.ConvolutionBackwardInput(filter, x, x, default), "ConvolutionBackwardInput: dx shares memory with dy");
        Refused(
            () => _backend.ElementwiseBackward(x, other, new GradientEpilogue(null, other)),
            "ElementwiseBackward: dx shares memory with through");
        FloatBuffer buffer = _workspace.Own(_backend.CreateFloats(8));
        Refused(
            () => _backend.SgdStep(default, new(buffer, 0, 4), new(buffer, 4, 4), null, new(buffer, 2, 4)),
            "SgdStep: weights shares memory with gradients");
    }

    [Test]
    public void Allows_the_aliases_that_the_contract_names()
    {
        Tensor x = Written(), y = Written();
        Filter filter = _workspace.Filter(Same, FilterUses.Forward | FilterUses.BackwardInput, Weights());
        _backend.ConvolutionForward(filter, x, y, new ForwardEpilogue(null, y, Activation.Relu));
        _backend.ConvolutionBackwardInput(filter, x, y, new GradientEpilogue(y, null));
        _backend.ElementwiseForward(x, x, default);
        _backend.ElementwiseBackward(x, x, new GradientEpilogue(y, y));
        Assert.That(_backend.Values(x), Has.None.NaN);
    }

    [Test]
    public void Refuses_a_part_of_an_allowed_alias()
    {
        Tensor x = _backend.DescribeTensor(2, Shape), y = _backend.DescribeTensor(2, Shape);
        Arena arena = _workspace.Own(_backend.CreateArena(2 * x.Bytes));
        _backend.Place(x, arena, 0);
        _backend.Place(y, arena, 64);
        _backend.Upload(_values.Normal(96), x);
        Refused(() => _backend.ElementwiseForward(x, y, default), "ElementwiseForward: y shares memory with x");
    }

    [Test]
    public void Refuses_filters_that_are_not_prepared_for_what_is_asked()
    {
        Tensor x = Written(), y = _workspace.Tensor(2, Shape);
        Filter unprepared = _workspace.Own(_backend.CreateFilter(Same, FilterUses.Forward));
        Refused(() => _backend.ConvolutionForward(unprepared, x, y, default), "ConvolutionForward", "never prepared");
        BufferSlice weight = Weights();
        Filter forward = _workspace.Filter(Same, FilterUses.Forward, weight);
        Refused(() => _backend.ConvolutionBackwardInput(forward, x, y, default), "made for Forward, not for BackwardInput");
        Refused(() => _backend.ConvolutionBackwardFilter(forward, x, x, Weights()), "made for Forward, not for BackwardFilter");
        _backend.Fill(weight, 1);
        Refused(() => _backend.ConvolutionForward(forward, x, y, default), "weights changed since");
        _backend.PrepareFilter(forward, new FilterSource(weight, null, 0, null));
        _backend.ConvolutionForward(forward, x, y, default);
    }

    [Test]
    public void Refuses_masks_that_contradict_the_weights_or_their_version()
    {
        BufferSlice weight = Weights();
        float[] pattern = new float[weight.Length];
        Array.Fill(pattern, 1);
        pattern[5] = 0;
        BufferSlice mask = _workspace.Floats(pattern);
        Filter filter = _workspace.Own(_backend.CreateFilter(Same, FilterUses.Forward));
        Refused(() => _backend.PrepareFilter(filter, new FilterSource(weight, mask, 1, null)), "weight 5 is pruned but holds");
        _backend.ApplyMask(mask, weight);
        _backend.PrepareFilter(filter, new FilterSource(weight, mask, 1, null));
        pattern[6] = 0;
        _backend.Upload(pattern, mask);
        _backend.ApplyMask(mask, weight);
        Refused(() => _backend.PrepareFilter(filter, new FilterSource(weight, mask, 1, null)), "version is still 1");
        _backend.PrepareFilter(filter, new FilterSource(weight, mask, 2, null));
    }

    [Test]
    public void Refuses_backward_passes_of_another_forward_pass()
    {
        Tensor x = Written(), y = _workspace.Tensor(2, Shape), dx = _workspace.Tensor(2, Shape);
        var operands = new NormalizationOperands(
            _workspace.Floats(_values.Normal(3)), _workspace.Floats(3), _workspace.Floats(3), _workspace.Floats(3), 1e-5f);
        _backend.NormalizationForward(operands, null, x, y, default);
        _backend.NormalizationBackward(operands, x, y, dx, null, null, default);
        _backend.Upload(_values.Normal(96, mean: 1), x);
        Refused(
            () => _backend.NormalizationBackward(operands, x, y, dx, null, null, default),
            "NormalizationBackward", "not those of x");
        var pool = new PoolShape(PoolKind.Max, 4, 4);
        Tensor pooled = _workspace.Tensor(2, new FeatureShape(3), _values.Normal(6));
        Refused(() => _backend.PoolBackward(pool, x, pooled, pooled, dx, default), "PoolBackward", "not x pooled");
    }

    [Test]
    public void Refuses_labels_and_images_that_do_not_exist()
    {
        Tensor logits = _workspace.Tensor(2, new FeatureShape(3), _values.Normal(6));
        FloatBuffer losses = _workspace.Own(_backend.CreateFloats(2)), correct = _workspace.Own(_backend.CreateFloats(2));
        Refused(
            () => _backend.Loss(LossKind.CrossEntropy, logits, _workspace.Ints([0, 3]), losses, correct, null, 1),
            "label 3 of sample 1");
        ImageStore store = _workspace.Own(_backend.CreateImageStore(new byte[96], Shape));
        Refused(
            () => _backend.GatherImages(store, [default, new ImageRequest(2, 0, 0, false)], _workspace.Tensor(2, Shape)),
            "image 2 is not in [0, 2)");
    }

    /// <summary>A narrow ResNet-18 costs about 26 million multiply-adds a sample at 16x16 for forward and backward; a test
    /// that checks a network needs them in well under a second.</summary>
    [Test]
    public void Is_fast_enough_for_small_networks()
    {
        var shape = new ConvolutionShape(new FeatureShape(16, 16, 16), 16, 3, 3, 1, 1);
        BufferSlice weight = _workspace.Floats(_values.Normal(shape.WeightCount));
        Filter filter = _workspace.Filter(shape, FilterUses.Forward, weight);
        Tensor x = _workspace.Tensor(4, shape.Input, _values.Normal(4 * shape.Input.Length));
        Tensor y = _workspace.Tensor(4, shape.Output);
        _backend.ConvolutionForward(filter, x, y, default);
        long start = Environment.TickCount64;
        for (int i = 0; i < 10; i++)
            _backend.ConvolutionForward(filter, x, y, default);
        double seconds = (Environment.TickCount64 - start) / 1000.0;
        TestContext.Out.WriteLine($"{10 * 4 * shape.MultiplyAdds / seconds / 1e6:F0} million multiply-adds a second");
        Assert.That(seconds, Is.LessThan(3), "24 million multiply-adds");
    }

    private Tensor Written() => _workspace.Tensor(2, Shape, _values.Normal(2 * Shape.Length));

    private BufferSlice Weights() => _workspace.Floats(_values.Normal(Same.WeightCount));

    private static void Refused(Action action, params string[] words)
    {
        string message = Assert.Throws<ContractException>(() => action())!.Message;
        foreach (string word in words)
            Assert.That(message, Does.Contain(word));
    }
}
