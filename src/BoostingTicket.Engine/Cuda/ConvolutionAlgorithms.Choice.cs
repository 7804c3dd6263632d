using System.Globalization;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Cuda;

internal sealed partial class ConvolutionAlgorithms
{
    /// <summary>Workspace that measured algorithms may use.</summary>
    private const long MeasuringWorkspace = 512L << 20;

    /// <summary>Calls after which a refusal counts that may have been of the moment.</summary>
    private const int Attempts = 3;

    /// <summary>Algorithms that are tried for one call; more than any pass has.</summary>
    private const int MostWays = 10;

    private const string OneCall = "one call";
    private const string Apart = "apart";

    /// <summary>Algorithms that always give the same bits, tensor cores first: implicit GEMM with precomputed indices (forward),
    /// algorithm 1 of either gradient; then the others.</summary>
    private static readonly Dictionary<ConvolutionDirection, int[]> DeterministicAlgorithms = new()
    {
        [ConvolutionDirection.Forward] = [1, 0, 7, 6, 2],
        [ConvolutionDirection.BackwardData] = [1, 5, 4],
        [ConvolutionDirection.BackwardFilter] = [1, 5, 4],
    };

    private static string SumWork(ConvolutionPlan plan, bool finishes) =>
        $"{plan.Name}, added to its destination{(finishes ? " and finished" : "")}";

    private static string FusedWork(ConvolutionPlan plan, bool withResidual, ActivationKind activation) =>
        $"{plan.Name}, with shift{(withResidual, activation) switch
        {
            (true, ActivationKind.Relu) => ", residual and ReLU",
            (false, ActivationKind.Relu) => ", ReLU",
            (true, _) => " and residual",
            _ => "",
        }}";

    private static string WayOf(CudnnAlgorithm algorithm) =>
        string.Create(CultureInfo.InvariantCulture, $"algorithm {algorithm.Algorithm} {algorithm.Math}");

    private static ChosenWork Describe(ConvolutionPlan plan)
    {
        double operations = 2.0 * plan.Shape.MultiplyAdds * plan.Batch;
        string check = plan.IsChecked ? "checked" : "not checked";
        return new ChosenWork(
            plan.Name,
            plan.Shape.IsLinear ? WayOf(plan.Product) : WayOf(new CudnnAlgorithm(plan.Algorithm, 0, 0, true, plan.Math)),
            Any(plan.Fuses), Any(plan.Accumulates),
            plan.Dropped.Count == 0 ? check : $"{check}; dropped: {string.Join("; ", plan.Dropped)}", plan.Milliseconds,
            plan.Milliseconds is { } time ? operations / time / 1e9 : null);

        static bool? Any(bool?[] ways) => ways.Contains(true) ? true : ways.Contains(false) ? false : null;
    }

    // Null for words that mean nothing, which are those of no version of this class.
    private CudnnAlgorithm? KeptAlgorithm(ConvolutionPlan plan) =>
        _context.Choices.Kept(plan.Name)?.Split(' ') is ["algorithm", { } number, { } math]
        && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int algorithm)
        && Enum.TryParse(math, out CudnnMath kind) && Enum.IsDefined(kind)
            ? new CudnnAlgorithm(algorithm, 0, 0, true, kind)
            : null;

    // Plans that are not as they were kept are made anew, and what was recorded with them.
    private void ForgetOtherChoices()
    {
        DeviceChoices choices = _context.Choices;
        if (choices.Made.All(made => (choices.Kept(made.Key) ?? made.Value) == made.Value))
            return;
        foreach (string work in choices.Made.Keys)
            choices.Remove(work);
        _plans.Clear();
        _context.MemoryMoved();
    }

    private void Choose(ConvolutionPlan plan)
    {
        using ConvolutionBench bench = NewBench(plan);
        if (KeptAlgorithm(plan) is { } kept)
        {
            plan.Candidates.Enqueue(kept);
            if (TryTake(plan, bench))
                return;
            ReportOtherWay(plan, WayOf(kept));
        }
        TakeAny(plan, bench);
    }

    private void ReportOtherWay(ConvolutionPlan plan, string before) => _context.Choices.Report(
        $"The {plan.Name} is not computed as it was before ({before} does not work any more), so the last digits of results may "
        + "differ from those of a run in one go.");

    // What was refused may be done the second time; what computed wrong values is not asked again.
    private void TakeAny(ConvolutionPlan plan, ConvolutionBench bench)
    {
        for (int round = 0; round < 2; round++)
        {
            foreach (CudnnAlgorithm candidate in Candidates(plan, bench))
                plan.Candidates.Enqueue(candidate);
            if (TryTake(plan, bench))
                return;
        }
        throw NoWay(plan);
    }

    private DeviceException NoWay(ConvolutionPlan plan)
    {
        string what = _options.Deterministic ? "that always gives the same bits for" : "for";
        string message = $"cuDNN {CudaInventory.CudnnVersion(_context.Cudnn.Version)} has no algorithm {what} the {plan.Name} "
            + $"in {_precision}; try another number format or a newer cuDNN.";
        string dropped = plan.Dropped.Count == 0 ? "" : $" Dropped: {string.Join("; ", plan.Dropped)}.";
        return plan.Refusal is { } last
            ? new DeviceException($"{message}{dropped} {last.Message}.", last)
            : new DeviceException($"{message}{dropped}");
    }

    private IEnumerable<CudnnAlgorithm> Candidates(ConvolutionPlan plan, ConvolutionBench bench)
    {
        CudnnAlgorithm[] known = [.. DeterministicAlgorithms[plan.Direction].Select(
            algorithm => new CudnnAlgorithm(algorithm, 0, 0, true, Math))];
        if (_options.Deterministic)
            return known;
        try
        {
            CudnnAlgorithm[] measured = Insist(() => Measure(plan, bench));
            return measured.Length > 0 ? Usable(measured) : known;
        }
        catch (CudaException refusal) when (refusal.IsRefusal)
        {
            Note(plan, refusal);
            return known;
        }
    }

    // Where float32 was asked for, what is faster because it rounds to TF32 is not a candidate; default math may do so too, so
    // that what was measured with it comes after what was measured without, and runs without. What gives other bits from call to
    // call comes last: a run that is resumed would not be the one that was interrupted.
    private IEnumerable<CudnnAlgorithm> Usable(CudnnAlgorithm[] measured)
    {
        if (_precision == Precision.Float32)
        {
            measured =
            [
                .. measured.Where(candidate => candidate.Math == CudnnMath.Fma),
                .. measured.Where(candidate => candidate.Math == CudnnMath.Default)
                    .Select(candidate => candidate with { Math = CudnnMath.Fma }),
            ];
        }
        return measured.OrderBy(candidate => candidate.IsDeterministic ? 0 : 1);
    }

    private CudnnAlgorithm[] Measure(ConvolutionPlan plan, ConvolutionBench bench)
    {
        _context.Cudnn.SetMath(plan.Operands.Convolution, Math);
        (ulong free, _) = _context.Driver.MemoryInfo();
        long workspace = System.Math.Min(MeasuringWorkspace, (long)free / 4 / CudaTensor.Alignment * CudaTensor.Alignment);
        return _context.Cudnn.FindAlgorithms(
            _context.CudnnHandle, plan.Direction, bench.Operands, bench.Workspace(workspace), (nuint)workspace);
    }

    // Takes the first candidate that works.
    private bool TryTake(ConvolutionPlan plan, ConvolutionBench bench)
    {
        while (plan.Candidates.TryDequeue(out CudnnAlgorithm candidate))
        {
            if (plan.Wrong.Contains((candidate.Algorithm, candidate.Math)) || !Works(plan, bench, candidate))
                continue;
            try
            {
                plan.WorkspaceBytes = Insist(() => Prepare(plan, candidate));
            }
            catch (CudaException refusal) when (refusal.IsRefusal)
            {
                Note(plan, refusal);
                continue;
            }
            (plan.Algorithm, plan.Math) = (candidate.Algorithm, candidate.Math);
            plan.Milliseconds = candidate.Milliseconds > 0 ? candidate.Milliseconds : null;
            if (!candidate.IsDeterministic)
            {
                _context.Choices.Report(
                    $"The {plan.Name} is computed by cuDNN's {WayOf(candidate)}, whose last digits differ from call to call, "
                    + $"since nothing "
                    + "else works.");
            }
            _context.Choices.Add(plan.Name, WayOf(candidate));
            return true;
        }
        return false;
    }

    // Sets the kind of multiply-adds, by which the size of the workspace differs.
    private nuint Prepare(ConvolutionPlan plan, CudnnAlgorithm candidate)
    {
        _context.Cudnn.SetMath(plan.Operands.Convolution, candidate.Math);
        return _context.Cudnn.WorkspaceBytes(_context.CudnnHandle, plan.Direction, plan.Operands, candidate.Algorithm);
    }

    // Whether cuDNN does it, and its values agree with those of a second algorithm. Where they do not, double precision says
    // which of the two is wrong.
    private bool Works(ConvolutionPlan plan, ConvolutionBench bench, CudnnAlgorithm candidate)
    {
        plan.IsChecked = false;
        if (TryCompute(plan, bench, candidate, isExpected: !_options.Deterministic) is not { } values)
            return false;
        if (!_options.ChecksValues)
            return true;
        if (bench.Fault(values) is { } fault)
            return Drop(plan, candidate, fault);
        foreach (CudnnAlgorithm other in Others(plan, candidate))
        {
            if (TryCompute(plan, bench, other, isExpected: false) is not { } others)
                continue;
            if (bench.Fault(others) is { } wrong)
            {
                Drop(plan, other, wrong);
                continue;
            }
            long place = bench.FirstDifference(values, others);
            if (place < 0)
                break;
            if (bench.FaultAt(values, place) is { } own)
                return Drop(plan, candidate, own);
            Drop(plan, other, bench.FaultAt(others, place) ?? "differs from another algorithm");
        }
        plan.IsChecked = true;
        return true;
    }

    private IEnumerable<CudnnAlgorithm> Others(ConvolutionPlan plan, CudnnAlgorithm candidate) =>
        plan.Candidates.ToArray()
            .Concat(DeterministicAlgorithms[plan.Direction].Select(number => new CudnnAlgorithm(
                number, 0, 0, true, candidate.Math)))
            .Where(other => other.Algorithm != candidate.Algorithm && !plan.Wrong.Contains((other.Algorithm, other.Math)))
            .DistinctBy(other => other.Algorithm);

    // Null when cuDNN refuses, which is told where it said before that it would not.
    private float[]? TryCompute(ConvolutionPlan plan, ConvolutionBench bench, CudnnAlgorithm candidate, bool isExpected)
    {
        try
        {
            Insist(() =>
            {
                nuint bytes = Prepare(plan, candidate);
                _context.Cudnn.Convolve(
                    _context.CudnnHandle, plan.Direction, 1, bench.Operands, candidate.Algorithm, bench.Workspace((long)bytes),
                    bytes, 0);
                return true;
            });
            return _options.ChecksValues ? bench.Download() : [];
        }
        catch (CudaException refusal) when (refusal.IsRefusal)
        {
            Note(plan, refusal);
            if (isExpected)
                Say(plan, $"{WayOf(candidate)} is refused ({refusal.Message})");
            return null;
        }
    }

    private bool Drop(ConvolutionPlan plan, CudnnAlgorithm candidate, string fault)
    {
        plan.Wrong.Add((candidate.Algorithm, candidate.Math));
        Say(plan, $"{WayOf(candidate)} {fault}");
        return false;
    }

    private void Say(ConvolutionPlan plan, string what)
    {
        if (!plan.Dropped.Contains(what))
            plan.Dropped.Add(what);
        _context.Choices.Report($"{plan.Library}'s {what} in the {plan.Name}; another way is taken.");
    }

    // A library may refuse for a reason of the moment; what it cannot do it says so.
    private T Insist<T>(Func<T> call)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return call();
            }
            catch (CudaException refusal) when (
                refusal.IsRefusal && !refusal.IsNotSupported && attempt < Attempts && !_context.IsRecording)
            {
                _context.Driver.Synchronize(_context.Stream);
            }
        }
    }

    private void RunInAnotherWay(ConvolutionPlan plan, DevicePointer x, DevicePointer w, DevicePointer y)
    {
        for (int way = 0; way < MostWays; way++)
        {
            try
            {
                Insist(() =>
                {
                    Convolve(plan, x, w, y, 0);
                    return true;
                });
                return;
            }
            catch (CudaException refusal) when (refusal.IsRefusal && !_context.IsRecording)
            {
                Note(plan, refusal);
                Say(plan, $"{WayOf(new CudnnAlgorithm(plan.Algorithm, 0, 0, true, plan.Math))} is refused ({refusal.Message})");
            }
            using ConvolutionBench bench = NewBench(plan);
            if (!TryTake(plan, bench))
                TakeAny(plan, bench);
            // What was recorded with the other one is recorded anew.
            _context.MemoryMoved();
        }
        throw NoWay(plan);
    }

    // One call or two: as an earlier process chose, else one where it works and is faster, or always where nothing may be
    // measured.
    private bool Decide(string work, Func<bool> works, Func<bool> isFaster)
    {
        _context.RequireNotRecording("choose a convolution's epilogue");
        string? kept = _context.Choices.Kept(work);
        bool one = kept != Apart && works() && (kept == OneCall || _options.Deterministic || isFaster());
        if (kept == OneCall && !one)
        {
            _context.Choices.Report(
                $"The {work} is not done in one call as before, since that does not work any more; the last digits of results "
                + $"may differ "
                + "from those of a run in one go.");
        }
        _context.Choices.Add(work, one ? OneCall : Apart);
        return one;
    }

    private void ChooseApart(ConvolutionPlan plan, string work, CudaException refusal)
    {
        plan.Dropped.Add($"one call is refused ({refusal.Message})");
        _context.Choices.Report($"The {work} is refused in one call ({refusal.Message}); it is done in two from now on.");
        _context.Choices.Add(work, Apart);
        _context.MemoryMoved();
    }

    private bool FusesRightly(ConvolutionPlan plan, bool withResidual, ActivationKind activation) => AddsRightly(
        plan, FusedWork(plan, withResidual, activation), bias: true, addend: withResidual,
        relu: activation == ActivationKind.Relu,
        bench => TryRunFused(
            plan, bench.Operands.X, bench.Operands.W, bench.Operands.Y, bench.Bias,
            withResidual ? bench.Addend : DevicePointer.Null, activation));

    private bool SumsRightly(ConvolutionPlan plan, bool finishes) => AddsRightly(
        plan, SumWork(plan, finishes), bias: false, addend: true, relu: false,
        bench =>
        {
            bench.PlaceAddend();
            Compute(plan, bench.Operands.X, bench.Operands.W, bench.Operands.Y, 1);
            return true;
        });

    // On memory of its own, since sums that are repeated would not leave what a network needs.
    private bool SumsFaster(
        ConvolutionPlan plan, bool finishes, Action<DevicePointer, DevicePointer, DevicePointer> finish)
    {
        try
        {
            using ConvolutionBench bench = NewBench(plan);
            CudnnConvolution sum = bench.Operands, beside = bench.Beside;
            bench.PlaceAddend();
            One();
            Two();
            return IsFaster(One, Two);

            void One()
            {
                Compute(plan, sum.X, sum.W, sum.Y, 1);
                if (finishes)
                    finish(bench.Result, DevicePointer.Null, bench.Result);
            }

            void Two()
            {
                Compute(plan, beside.X, beside.W, beside.Y, 0);
                finish(bench.Addend, bench.Result, bench.Result);
            }
        }
        catch (CudaException refusal) when (refusal.IsRefusal)
        {
            Note(plan, refusal);
            return false;
        }
    }

    // Whether a call that adds gives the sum of what the pass alone gives and what is added.
    private bool AddsRightly(
        ConvolutionPlan plan, string work, bool bias, bool addend, bool relu, Func<ConvolutionBench, bool> tryAdd)
    {
        try
        {
            using ConvolutionBench bench = NewBench(plan);
            if (!_options.ChecksValues)
                return Insist(() => tryAdd(bench));
            Run(plan, bench.Operands.X, bench.Operands.W, bench.Operands.Y);
            float[] plain = bench.Download();
            if (!Insist(() => tryAdd(bench)))
                return false;
            if (bench.FaultOfSum(bench.Download(), plain, bias, addend, relu) is not { } fault)
                return true;
            plan.Dropped.Add($"one call {fault}");
            _context.Choices.Report($"{plan.Library}'s {work} {fault}; it is done in two calls.");
        }
        catch (CudaException refusal) when (refusal.IsRefusal)
        {
            Note(plan, refusal);
        }
        return false;
    }

    private ConvolutionBench NewBench(ConvolutionPlan plan) => new(_context, _staging, plan, _type, _precision);
}
