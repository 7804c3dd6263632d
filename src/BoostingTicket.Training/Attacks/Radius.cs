namespace BoostingTicket.Training.Attacks;

/// <summary>The radius of an attack's ball, where it is an argument of its own.</summary>
internal static class Radius
{
    /// <summary>Refuses what is no radius; 0, which attacks nothing, has been asked for by name.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or not finite.</exception>
    public static void Require(float epsilon)
    {
        if (!(epsilon >= 0 && float.IsFinite(epsilon)))
            throw new ArgumentOutOfRangeException(nameof(epsilon), epsilon, "An attack's radius is a finite number, 0 or more.");
    }
}
