namespace BoostingTicket.Runs.Experiments.Speed;

/// <summary>Where a training stands after an epoch.</summary>
/// <param name="Model">The network.</param>
/// <param name="Arm">How it is trained.</param>
/// <param name="Seed">The seed.</param>
/// <param name="Epoch">Finished epochs, 1 or more.</param>
/// <param name="Seconds">What all training up to here took, that of a ticket's donor included, evaluations left out.</param>
/// <param name="Clean">Share of the test images classified correctly, in [0, 1].</param>
/// <param name="Robust">The same under the evaluation's PGD, in [0, 1].</param>
/// <param name="Samples">Test images.</param>
internal sealed record CoursePoint(
    string Model, string Arm, ulong Seed, int Epoch, ElapsedSeconds Seconds, double Clean, double Robust, int Samples);
