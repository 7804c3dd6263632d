using BoostingTicket.Runs.Folders;
using BoostingTicket.Training;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Runs.Stages;

/// <summary>What an evaluation by attacks came to. Its result is kept in its folder already; the images are saved after it, so
/// that no result depends on whether they can be.</summary>
internal sealed class AttackOutcome
{
    private readonly RunFolder? _files;
    private readonly int[] _dimensions;
    private readonly float[]? _images;

    /// <summary>Puts result and images together.</summary>
    /// <param name="result">The result.</param>
    /// <param name="files">Folder that keeps it; null for none.</param>
    /// <param name="dimensions">Samples, channels, rows and columns of the images.</param>
    /// <param name="images">The images, in [0, 1]; null where they were not kept.</param>
    internal AttackOutcome(RobustnessResult result, RunFolder? files, int[] dimensions, float[]? images) =>
        (Result, _files, _dimensions, _images) = (result, files, dimensions, images);

    /// <summary>The result.</summary>
    public RobustnessResult Result { get; }

    /// <summary>Saves the images, samples x channels x rows x columns in [0, 1] as <see cref="AttackEvaluator.Adversarial"/>
    /// describes them, and then deletes the state that kept them.</summary>
    /// <param name="path">File (.npy) that receives them; null to give them up.</param>
    /// <exception cref="ConfigurationException">They cannot be written there, and are kept; or they were given up
    /// before.</exception>
    public void Finish(string? path)
    {
        using RunLock? held = _files is null ? null : RunLock.Acquire(_files.Root);
        if (path is not null && _images is not null)
            NpyFile.Write(path, _dimensions, _images);
        else if (path is not null && !File.Exists(path))
            throw new ConfigurationException(
                $"Cannot write {path}: the images of this evaluation are no longer kept; leave out "
                + $"{Setting.Named("saveAdversarial")}, or "
                + $"evaluate again in another {Setting.Named("out")}.");
        // What a folder of an earlier version was asked to keep may lie where it was asked for then.
        if (_files is not null)
            StoredFiles.Delete(_files.AttackState);
    }
}
