using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Stages;
using BoostingTicket.Training;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Cli.Commands;

/// <summary>What files say about where they come from, against what they are about to be used for.</summary>
internal static class OriginChecks
{
    /// <summary>Makes sure that a file's weights were trained behind the normalisation that the network is about to get; the
    /// weights cannot tell, and would silently be worth less behind another.</summary>
    /// <param name="path">A weights or ticket file; one of another model, or of somebody else, is left for others to
    /// judge.</param>
    /// <param name="configuration">Settings of the network.</param>
    /// <param name="data">The data set, whole.</param>
    /// <param name="takesOwn">Whether the network gets the constants that the file records, so that any will do.</param>
    /// <exception cref="ConfigurationException">The file records another normalisation, or it cannot be read.</exception>
    /// <exception cref="DamagedFileException">The file is damaged.</exception>
    public static void RequireNormalization(string path, RunConfiguration configuration, DataSplit data, bool takesOwn = false)
    {
        ModelFileMetadata? known = WeightFile.ReadMetadata(path);
        if (known is null && WeightImport.HoldsNormalization(path))
            throw new ConfigurationException(
                $"{path} was written by another program and holds a normalisation of its own; import it first (import {path} "
                + $"--out FILE).");
        if (known is not { } origin || origin.Model != TicketRun.BuildModel(configuration, data).Name)
            return;
        InputNormalizationConstants? needed = configuration.Data.Normalize ? DataNormalization.For(data.Train) : null;
        if (takesOwn && needed is not null && origin.Normalization is not null)
            return;
        if (needed is null ? origin.Normalization is null : needed.ContentEquals(origin.Normalization))
            return;
        string recorded = origin.Normalization is null ? "without normalisation" : "with another normalisation";
        string here = needed is null ? "none" : $"that of {configuration.Data.Name}";
        throw new ConfigurationException(
            $"{path} was trained {recorded} of its images, while these settings ask for {here}; give the --dataset and "
            + $"--normalize that it was trained with.");
    }
}
