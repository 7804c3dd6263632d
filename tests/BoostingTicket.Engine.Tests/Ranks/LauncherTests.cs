using BoostingTicket.Engine.Ranks;

namespace BoostingTicket.Engine.Tests.Ranks;

internal sealed class LauncherTests
{
    [TestCase("OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=4 OMPI_COMM_WORLD_LOCAL_RANK=1 SLURM_PROCID=0 SLURM_STEP_NUM_TASKS=1",
        "mpirun of Open MPI 1/4 1 OpenMpi True")]
    [TestCase("PMI_RANK=2 PMI_SIZE=3 MPI_LOCALRANKID=0", "mpirun of MPICH 2/3 0 Mpich True")]
    [TestCase("PMI_RANK=2 PMI_SIZE=3 SLURM_PROCID=2 SLURM_LOCALID=1", "srun with PMI-2 2/3 1  True")]
    [TestCase("SLURM_PROCID=1 SLURM_STEP_NUM_TASKS=2 SLURM_LOCALID=1 PMIX_RANK=1", "srun 1/2 1  True")]
    [TestCase("SLURM_PROCID=1 SLURM_STEP_NUM_TASKS=2 SLURM_LOCALID=1", "srun 1/2 1  False")]
    [TestCase("RANK=3 WORLD_SIZE=8 LOCAL_RANK=3", "torchrun 3/8 3  False")]
    [TestCase("SLURM_PROCID=0 SLURM_NTASKS=4", "", Description = "a batch script is no rank")]
    [TestCase("RANK=9 WORLD_SIZE=8", "", Description = "variables of something else")]
    [TestCase("OMPI_COMM_WORLD_RANK=x OMPI_COMM_WORLD_SIZE=4", "")]
    [TestCase("", "")]
    public void A_launcher_is_known_by_its_variables(string variables, string expected)
    {
        Dictionary<string, string> set = variables.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]);
        Launcher? found = Launcher.Find(name => set.GetValueOrDefault(name));
        Assert.That(
            found is null
                ? ""
                : $"{found.Name} {found.Rank}/{found.Count} {found.LocalRank} {found.Family} {found.JoinsByMpi}",
            Is.EqualTo(expected));
    }
}
