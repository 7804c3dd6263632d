using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Cuda.Kernels;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cuda;

internal sealed partial class CudaBackend
{
    public bool PreparesFiltersTogether => true;

    public Filter CreateFilter(ConvolutionShape shape, FilterUses uses)
    {
        _context.EnterThread();
        return new CudaFilter(_context, shape, uses, ElementType, _tables);
    }

    public void PrepareFilter(Filter filter, in FilterSource source) => PrepareFilters([new FilterUpdate(filter, source)]);

    public void PrepareFilters(IReadOnlyList<FilterUpdate> updates)
    {
        ArgumentNullException.ThrowIfNull(updates);
        _context.EnterThread();
        uint blocks = 0;
        var works = new List<FilterWork>(updates.Count);
        foreach (FilterUpdate update in updates)
        {
            CudaFilter packed = CudaFilter.Of(update.Filter);
            ConvolutionShape shape = packed.Shape;
            FilterSource source = update.Source;
            DevicePointer weight = CudaFloats.Of(source.Weight, shape.WeightCount, "weight");
            DevicePointer scale = CudaFloats.Of(source.Scale, shape.OutputChannels, "scale");
            DevicePointer shift = CudaFloats.Of(source.Shift, shape.OutputChannels, "shift");
            if (!packed.HasWeights)
                continue;
            var memory = new FilterWork
            {
                Weight = weight,
                Scale = scale,
                Packed = packed.Packed,
                Shift = shift,
                PackedShift = packed.ShiftToPrepare(shift, scaled: !scale.IsNull),
            };
            works.Add(FilterKernels.Describe(shape, ElementType, memory, ref blocks));
            packed.IsPrepared = true;
        }
        if (works.Count > 0)
            _filters.Prepare(ElementType, _tables.Find([.. works]), works.Count, blocks);
    }

    public void ConvolutionForward(Filter filter, Tensor x, Tensor y, in ForwardEpilogue epilogue)
    {
        CudaFilter weights = CudaFilter.Of(filter);
        weights.Require(FilterUses.Forward);
        TensorView from = View(x), to = View(y);
        ConvolutionShape shape = filter.Shape;
        RequireShape(from, to.Batch, shape.Input, "input");
        RequireShape(to, from.Batch, shape.Output, "output");
        RequireApart(from, to);
        RequireElement(to, "output");
        DevicePointer shift = CudaFloats.Of(epilogue.Shift, shape.OutputChannels, "shift");
        TensorView? residual = View(epilogue.Residual, to, "residual");
        ConvolutionPlan plan = _algorithms.Find(ConvolutionDirection.Forward, shape, to.Batch);
        bool fused = Fuses(plan, from, weights, to, shift, residual, epilogue.Activation)
            && TryConvolveFused(plan, from, weights, to, shift, residual, epilogue.Activation);
        if (!fused)
            ConvolveAndFinish(plan, Converted(from), weights, to, shift, residual, epilogue.Activation);
    }

    // cuDNN's ReLU makes NaN zero; a diverged network is noticed by its last layer, which has none.
    private bool TryConvolveFused(
        ConvolutionPlan plan, TensorView from, CudaFilter weights, TensorView to, DevicePointer shift, TensorView? residual,
        Activation activation) => _algorithms.TryRunFused(
            plan, from.Data, weights.Packed, to.Data, weights.PreparedShift(shift), residual?.Data ?? DevicePointer.Null,
            activation.Kind);

    private void ConvolveAndFinish(
        ConvolutionPlan plan, TensorView from, CudaFilter weights, TensorView to, DevicePointer shift, TensorView? residual,
        Activation activation)
    {
        bool finishes = !shift.IsNull || activation != Activation.None;
        // A residual in the output's place would be overwritten by the convolution, which then adds to it or goes elsewhere.
        if (residual?.Data == to.Data)
        {
            if (!(plan.Accumulates[ConvolutionPlan.SumOf(finishes)] ?? ChooseForwardSum(plan, to, shift, activation))
                || !_algorithms.TryAccumulate(plan, from.Data, weights.Packed, to.Data, finishes))
            {
                TensorView sums = to with { Data = _sums.Reserve(to.Bytes) };
                _algorithms.Run(plan, from.Data, weights.Packed, sums.Data);
                _elementwise.Forward(sums, DevicePointer.Null, shift, residual, activation, to);
                return;
            }
            residual = null;
        }
        else
        {
            _algorithms.Run(plan, from.Data, weights.Packed, to.Data);
        }
        if (finishes || residual is not null)
            _elementwise.Forward(to, DevicePointer.Null, shift, residual, activation, to);
    }

    private bool ChooseForwardSum(ConvolutionPlan plan, TensorView to, DevicePointer shift, Activation activation) =>
        _algorithms.ChooseSum(
            plan, finishes: !shift.IsNull || activation != Activation.None,
            (sums, summand, destination) => _elementwise.Forward(
                to with { Data = sums }, DevicePointer.Null, shift,
                summand.IsNull ? null : to with { Data = summand }, activation, to with { Data = destination }));

    private bool ChooseGradientSum(ConvolutionPlan plan, TensorView to, TensorView? through, Activation activation) =>
        _algorithms.ChooseSum(
            plan, finishes: through is not null,
            (sums, summand, destination) => _elementwise.Backward(
                to with { Data = sums }, DevicePointer.Null, summand.IsNull ? null : to with { Data = summand }, through,
                activation, to with { Data = destination }));

    // Whether one call of cuDNN does convolution and epilogue faster than two kernels; measured at the first call. The fused call
    // may not read the residual from where it writes.
    private bool Fuses(
        ConvolutionPlan plan, TensorView from, CudaFilter weights, TensorView to, DevicePointer shift, TensorView? residual,
        Activation activation)
    {
        bool hasEpilogue = !shift.IsNull || residual is not null || activation != Activation.None;
        if (!hasEpilogue || !_algorithms.CanFuse(plan, activation.Kind) || weights.PreparedShift(shift).IsNull
            || residual?.Data == to.Data || from.Type != ElementType)
            return false;
        return plan.Fuses[ConvolutionPlan.EpilogueOf(residual is not null, activation.Kind)] ??=
            MeasureFusion(plan, from, weights, to, shift, residual, activation);
    }

    private bool MeasureFusion(
        ConvolutionPlan plan, TensorView from, CudaFilter weights, TensorView to, DevicePointer shift, TensorView? residual,
        Activation activation)
    {
        return _algorithms.ChooseFusion(
            plan, residual is not null, activation.Kind,
            () => TryConvolveFused(plan, from, weights, to, shift, residual, activation),
            () => ConvolveAndFinish(plan, from, weights, to, shift, residual, activation));
    }

    public void ConvolutionBackwardInput(Filter filter, Tensor dy, Tensor dx, in GradientEpilogue epilogue)
    {
        (CudaFilter weights, TensorView from, TensorView to, TensorView? addend, TensorView? through, ConvolutionPlan plan) =
            GradientPassOf(filter, dy, dx, epilogue);
        if (to.Type != ElementType)
        {
            TensorView computed = to with { Type = ElementType };
            computed = computed with { Data = _scratch.Reserve(computed.Bytes) };
            _algorithms.Run(plan, computed.Data, weights.Packed, from.Data);
            _elementwise.Backward(computed, DevicePointer.Null, addend, through, epilogue.Activation, to);
            return;
        }
        if (addend?.Data == to.Data)
        {
            bool finishes = through is not null;
            if (!(plan.Accumulates[ConvolutionPlan.SumOf(finishes)] ?? ChooseGradientSum(plan, to, through, epilogue.Activation))
                || !_algorithms.TryAccumulate(plan, to.Data, weights.Packed, from.Data, finishes))
            {
                TensorView sums = to with { Data = _sums.Reserve(to.Bytes) };
                _algorithms.Run(plan, sums.Data, weights.Packed, from.Data);
                _elementwise.Backward(sums, DevicePointer.Null, addend, through, epilogue.Activation, to);
                return;
            }
            addend = null;
        }
        else
        {
            _algorithms.Run(plan, to.Data, weights.Packed, from.Data);
        }
        if (through is not null || addend is not null)
            _elementwise.Backward(to, DevicePointer.Null, addend, through, epilogue.Activation, to);
    }

    public bool ScalesInputGradients => true;

    public void ConvolutionBackwardInputScaled(
        Filter filter, Tensor dy, Tensor dx, in GradientEpilogue epilogue, BufferSlice scale, Tensor? summand)
    {
        (CudaFilter weights, TensorView from, TensorView to, TensorView? addend, TensorView? through, ConvolutionPlan plan) =
            GradientPassOf(filter, dy, dx, epilogue);
        RequireElement(to, "scaled input gradient");
        TensorView? last = View(summand, to, "summand");
        DevicePointer factors = CudaFloats.Of(scale, filter.Shape.Input.Channels, "scale");
        bool isRead = addend?.Data == to.Data || last?.Data == to.Data;
        TensorView computed = isRead ? to with { Data = _sums.Reserve(to.Bytes) } : to;
        _algorithms.Run(plan, computed.Data, weights.Packed, from.Data);
        _elementwise.BackwardScaled(computed, addend, through, epilogue.Activation, factors, last, to);
    }

    private (CudaFilter Weights, TensorView From, TensorView To, TensorView? Addend, TensorView? Through, ConvolutionPlan Plan)
        GradientPassOf(Filter filter, Tensor dy, Tensor dx, in GradientEpilogue epilogue)
    {
        CudaFilter weights = CudaFilter.Of(filter);
        weights.Require(FilterUses.BackwardInput);
        TensorView from = View(dy), to = View(dx);
        ConvolutionShape shape = filter.Shape;
        RequireShape(from, to.Batch, shape.Output, "output gradient");
        RequireShape(to, from.Batch, shape.Input, "input gradient");
        RequireApart(from, to);
        RequireElement(from, "output gradient");
        return (
            weights, from, to, View(epilogue.Addend, to, "addend"), View(epilogue.Through, to, "activation's operand"),
            _algorithms.Find(ConvolutionDirection.BackwardData, shape, to.Batch));
    }

    public void ConvolutionBackwardFilter(Filter filter, Tensor x, Tensor dy, BufferSlice dw)
    {
        CudaFilter weights = CudaFilter.Of(filter);
        weights.Require(FilterUses.BackwardFilter);
        TensorView input = View(x), from = View(dy);
        ConvolutionShape shape = filter.Shape;
        RequireShape(input, from.Batch, shape.Input, "input");
        RequireShape(from, input.Batch, shape.Output, "output gradient");
        RequireElement(from, "output gradient");
        DevicePointer gradient = CudaFloats.Of(dw, shape.WeightCount, "weight gradient");
        long bytes = FilterKernels.PackedBytes(shape, ElementType);
        bytes = (bytes + CudaTensor.Alignment - 1) / CudaTensor.Alignment * CudaTensor.Alignment;
        DevicePointer packed = _scratch.Reserve(
            bytes + (input.Type == ElementType ? 0 : (input with { Type = ElementType }).Bytes));
        if (input.Type != ElementType)
        {
            TensorView converted = input with { Type = ElementType, Data = packed + bytes };
            _elementwise.Forward(input, DevicePointer.Null, DevicePointer.Null, null, Activation.None, converted);
            input = converted;
        }
        ConvolutionPlan plan = _algorithms.Find(ConvolutionDirection.BackwardFilter, shape, input.Batch);
        _algorithms.Run(plan, input.Data, packed, from.Data);
        _filters.ExportGradient(shape, ElementType, packed, gradient);
    }

    public void BiasBackward(Tensor dy, BufferSlice db)
    {
        TensorView from = View(dy);
        DevicePointer sums = CudaFloats.Of(db, from.Shape.Channels, "bias gradient");
        _reductions.ChannelSums(from, _scratch.Reserve(ReductionKernels.ChannelSumsScratchBytes(from)), sums);
    }

    // Images are float32 in every precision; a network without input normalisation convolves them as they are.
    private TensorView Converted(TensorView view)
    {
        if (view.Type == ElementType)
            return view;
        TensorView converted = view with { Type = ElementType };
        converted = converted with { Data = _scratch.Reserve(converted.Bytes) };
        _elementwise.Forward(view, DevicePointer.Null, DevicePointer.Null, null, Activation.None, converted);
        return converted;
    }

    private void RequireElement(TensorView view, string name)
    {
        if (view.Type != ElementType)
            throw new ArgumentException($"The {name} of a convolution must be {ElementType}, not {view.Type}.");
    }

    private static void RequireApart(TensorView first, TensorView second)
    {
        if (first.Data == second.Data)
            throw new ArgumentException("A convolution cannot write where it reads.");
    }
}
