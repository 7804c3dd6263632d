using System.Globalization;

namespace BoostingTicket.Engine.Ranks;

/// <summary>Families of MPI libraries, which differ in their binary interface.</summary>
internal enum MpiFamily
{
    /// <summary>Open MPI.</summary>
    OpenMpi,

    /// <summary>MPICH and what follows it: Intel MPI, Cray MPICH, MVAPICH.</summary>
    Mpich,
}

/// <summary>What started this process as one of several, by the variables that it set.</summary>
/// <param name="Name">The launcher, for people.</param>
/// <param name="Rank">Number of this process.</param>
/// <param name="Count">Processes that it started.</param>
/// <param name="LocalRank">Number of this process on its machine.</param>
/// <param name="Family">MPI family that the launcher belongs to; null for one that serves several.</param>
/// <param name="JoinsByMpi">Whether an MPI library finds the other processes.</param>
internal sealed record Launcher(string Name, int Rank, int Count, int LocalRank, MpiFamily? Family, bool JoinsByMpi)
{
    /// <summary>Reads the variables of launchers, their own before those of batch systems, which are also set where a launcher
    /// runs within a batch job.</summary>
    /// <param name="variable">Value of an environment variable; null where it is not set.</param>
    /// <returns>Null where the process was started alone, or by nothing that is known.</returns>
    public static Launcher? Find(Func<string, string?> variable)
    {
        ArgumentNullException.ThrowIfNull(variable);
        bool slurm = Number("SLURM_PROCID") is not null;
        return Read("mpirun of Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK",
                MpiFamily.OpenMpi, true)
            ?? (slurm && Number("PMI_SIZE") is not null
                ? Read("srun with PMI-2", "PMI_RANK", "PMI_SIZE", "SLURM_LOCALID", null, true)
                : Read("mpirun of MPICH", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", MpiFamily.Mpich, true))
            ?? Read("torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK", null, false)
            ?? Read("srun", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID", null,
                variable("PMIX_NAMESPACE") is not null || variable("PMIX_RANK") is not null);

        Launcher? Read(string name, string rank, string count, string local, MpiFamily? family, bool joins) =>
            Number(rank) is { } own && Number(count) is { } all && own < all
                ? new Launcher(name, own, all, Number(local) ?? 0, family, joins)
                : null;

        int? Number(string name) => int.TryParse(
            variable(name), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : null;
    }
}
