namespace BoostingTicket.Training.Evaluation;

/// <summary>Accuracies on the test set.</summary>
/// <param name="Samples">Images evaluated.</param>
/// <param name="Clean">Share classified correctly, in [0, 1].</param>
/// <param name="Robust">Share classified correctly clean and under the evaluation's attack, in [0, 1].</param>
/// <param name="LargestPerturbation">Largest perturbation that the attack really used, in pixel units.</param>
/// <param name="Seconds">Seconds that it took.</param>
public sealed record TestResult(int Samples, double Clean, double Robust, double LargestPerturbation, double Seconds);
