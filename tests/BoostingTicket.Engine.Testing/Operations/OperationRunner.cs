using System.Collections.Concurrent;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing.Operations;

/// <summary>Compares a backend with the reference on a case of the operation table.</summary>
internal static class OperationRunner
{
    private static readonly ConcurrentDictionary<(string Name, bool Rounded), IReadOnlyList<Output>> Expected = new();

    /// <summary>Checks every case of a group.</summary>
    /// <returns>A message for each case that failed, which starts with the case's name.</returns>
    public static IReadOnlyList<string> Failures(OperationGroup group, IBackend backend)
    {
        ArgumentNullException.ThrowIfNull(group);
        var failures = new List<string>();
        foreach (OperationCase operation in group.Cases)
        {
            try
            {
                Check(operation, backend);
            }
            catch (OperationFailedException failure)
            {
                failures.Add(failure.Message);
            }
            catch (Exception failure)
            {
                // Whatever the backend threw: the other cases still run.
                failures.Add($"{operation}: {failure}");
            }
        }
        return failures;
    }

    /// <summary>Runs a case on a backend and compares every output with the reference's.</summary>
    /// <exception cref="OperationFailedException">An output is wrong, or something changed that must not.</exception>
    public static void Check(OperationCase operation, IBackend backend)
    {
        ArgumentNullException.ThrowIfNull(operation);
        ArgumentNullException.ThrowIfNull(backend);
        // Where only the products of attacks are rounded, tensors are float32 and everything else is held to that.
        Precision precision = backend.RoundsAttacksMore ? Precision.Float32 : backend.Precision;
        Tolerance tolerance = backend.RoundsAttacksMore && UsesAttackFilter(operation)
            ? operation.Tolerance.AtLeast(Tolerance.ShortProducts)
            : operation.Tolerance.AtLeast(precision);
        IReadOnlyList<Output> expected = Expected.GetOrAdd((operation.Name, precision == Precision.BFloat16), _ =>
        {
            using var reference = new ReferenceBackend();
            return operation.Run(reference, precision);
        });
        IReadOnlyList<Output> actual = operation.Run(backend, precision);
        if (actual.Count != expected.Count)
            throw new OperationFailedException($"{operation}: {actual.Count} outputs instead of {expected.Count}.");
        for (int i = 0; i < expected.Count; i++)
            Compare(operation, tolerance, precision, actual[i], expected[i]);
    }

    /// <summary>Whether a case's filters are those of attacks on a backend that rounds attacks more.</summary>
    public static bool UsesAttackFilter(OperationCase operation)
    {
        ArgumentNullException.ThrowIfNull(operation);
        return operation.Name.StartsWith("ConvolutionForward", StringComparison.Ordinal)
            || operation.Name.StartsWith("ConvolutionBackwardInput", StringComparison.Ordinal)
            || operation.Name.StartsWith("PrepareFilter", StringComparison.Ordinal);
    }

    private static void Compare(
        OperationCase operation, Tolerance tolerance, Precision precision, Output actual, Output expected)
    {
        double error = 0, norm = 0, largest = 0;
        int worst = 0;
        for (int i = 0; i < expected.Values.Length; i++)
        {
            double a = actual.Values[i], b = expected.Values[i];
            if (double.IsNaN(a) != double.IsNaN(b))
                throw Wrong(i, double.IsNaN(a) ? "the first NaN" : "NaN was expected");
            bool zeroInstead = a == 0 && expected.MayBeZero is { } mayBeZero && mayBeZero[i];
            // A tensor of bfloat16 holds an exact result rounded.
            bool rounded = precision == Precision.BFloat16 && a == OperationBench.RoundedToBFloat16((float)b);
            if (double.IsNaN(b) || a == b || rounded || zeroInstead)
            {
                if (expected.Match == Match.SameBits && double.IsNegative(a) != double.IsNegative(b))
                    throw Wrong(i, "the sign of zero differs");
                norm += double.IsFinite(b) ? b * b : 0;
                continue;
            }
            if (expected.Match is Match.Exact or Match.SameBits)
                throw Wrong(i, "the values must be identical");
            if (!double.IsFinite(a) || !double.IsFinite(b))
                throw Wrong(i, "an infinity");
            if (expected.Match == Match.CloseWithExactZeros && b == 0)
                throw Wrong(i, "exactly 0 is required");
            error += (a - b) * (a - b);
            norm += b * b;
            if (Math.Abs(a - b) > largest)
            {
                largest = Math.Abs(a - b);
                worst = i;
            }
        }
        double squared = error / Math.Max(norm, double.Epsilon);
        double relative = largest / Math.Max(Math.Sqrt(norm / expected.Values.Length), double.Epsilon);
        if (squared > tolerance.SquaredError || relative > tolerance.LargestError)
        {
            throw Wrong(
                worst,
                $"normalised squared error {squared:E2} (allowed {tolerance.SquaredError:E0}), largest error {relative:E2} of "
                + $"the root mean square (allowed {tolerance.LargestError:E0})");
        }

        OperationFailedException Wrong(int index, string what) => new(
            $"{operation}: {expected.Name}[{index}] of {expected.Values.Length} is {actual.Values[index]:R}, the reference "
            + $"has {expected.Values[index]:R}: {what}.");
    }
}
