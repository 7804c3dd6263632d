using static TorchSharp.torch;

namespace BoostingTicket.GoldenData;

/// <summary>
/// Finds out whether the values of a case are fit to be a truth for float32 code. One activation so close to 0 that rounding
/// decides its sign changes every gradient behind it by a thousandth and, after some steps, everything: such a seed tests luck.
/// </summary>
internal static class Stability
{
    /// <summary>Relative error that float32 and small changes of the weights may cause in any recorded tensor.</summary>
    public const double Limit = 4e-5;

    private const double Nudge = 2e-7;
    private const int Nudges = 4;

    /// <summary>
    /// The departures from <paramref name="truth"/>, the largest for each kind of result, of a float32 recording and of float64
    /// recordings with weights changed by relative 2e-7 at random, which stand for other orders of summation. Stops at the first
    /// recording that departs too far, by more than <see cref="Limit"/> or in any pixel.
    /// </summary>
    public static IReadOnlyList<Deviation> Measure(
        GoldenCase golden, GoldenInputs inputs, IReadOnlyDictionary<string, Tensor> truth)
    {
        IReadOnlyList<Deviation> worst = Deviation.Between(truth, GoldenRecorder.Record(golden, inputs, float32));
        for (ulong seed = 1; seed <= Nudges && IsStable(worst); seed++)
        {
            var random = new SeededRandom(seed);
            Dictionary<string, Tensor> nudged = inputs.State.ToDictionary(
                s => s.Key, s => s.Value * (1 + Nudge * SeededRandom.Fill(s.Value.shape, random.Normal)));
            Dictionary<string, Tensor> results = GoldenRecorder.Record(golden, inputs with { State = nudged }, float64);
            IReadOnlyList<Deviation> departures = Deviation.Between(truth, results);
            worst = [.. worst.Zip(departures, (a, b) => a with { Value = Math.Max(a.Value, b.Value) })];
        }
        return worst;
    }

    /// <summary>Whether all of <paramref name="deviations"/> are small enough.</summary>
    public static bool IsStable(IEnumerable<Deviation> deviations) =>
        deviations.All(d => d.Value <= (Deviation.IsImage(d.Kind) ? 0 : Limit));
}
