using System.Globalization;
using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Devices;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Training;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Files;

namespace BoostingTicket.Runs.Stages;

/// <summary>What the robustness of weights was measured by: everything that tells two measurements of the same weights
/// apart.</summary>
/// <param name="Attacks">Names of <see cref="AttackCatalog.Names"/>.</param>
/// <param name="Attack">What the attacks share.</param>
/// <param name="Dataset">Name of the data set, or the path of one's own.</param>
/// <param name="Fingerprint">That of one's own data, in place of the path; null for registered data sets.</param>
/// <param name="Samples">Test samples, the first of the data set.</param>
/// <param name="Seed">Seed of the attacks' random numbers.</param>
/// <param name="Precision">Number format, as it was asked for.</param>
internal sealed record RobustnessSettings(
    IReadOnlyList<string> Attacks, AttackSettings Attack, string Dataset, string? Fingerprint, int Samples, ulong Seed,
    string Precision) : IStoredRecord
{
    private const int KeyLength = 8;

    /// <summary>A name for files: attacks, ε and samples, and a hash of these and everything else. Equal for equal
    /// settings, and different otherwise.</summary>
    public string FileKey()
    {
        RobustnessSettings moved = Fingerprint is null ? this : this with { Dataset = "" };
        string hash = CanonicalJson.Hash(RunJson.Write(moved))[..KeyLength];
        string epsilon = Fraction.Text(Attack.Epsilon).Replace('/', '-');
        return string.Create(
            CultureInfo.InvariantCulture, $"{string.Join('+', Attacks)}.eps-{epsilon}.samples-{Samples}.{hash}");
    }

    /// <summary>Steps of an attack, or of a stage of AutoAttack; empty where it chooses size and number itself.</summary>
    /// <param name="attack">Its name in a result.</param>
    public string StepsOf(string attack)
    {
        if (AttackCatalog.All.FirstOrDefault(entry => entry.Name == attack) is not { Steps: { } steps })
            return "";
        string restarts = Attack.Restarts == 1
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $", {Attack.Restarts:N0} restarts");
        return string.Create(CultureInfo.InvariantCulture, $"{steps(Attack):N0} of {Fraction.Text(Attack.StepSize)}{restarts}");
    }

    /// <summary>What is unusual besides, for people; empty where nothing is.</summary>
    /// <param name="usualSeed">The run's seed.</param>
    public string Unusual(ulong usualSeed) => string.Concat(
        Attack.Loss == LossKind.CrossEntropy ? "" : $", loss {SettingNames.Of(Attack.Loss)}",
        Attack.Statistics == AttackStatistics.Running ? "" : $", statistics {SettingNames.Of(Attack.Statistics)}",
        Precision == DeviceCatalog.Auto ? "" : $", {Precision}",
        Seed == usualSeed ? "" : FormattableString.Invariant($", attacked with seed {Seed}"));

    string? IStoredRecord.WrongMember() => StoredValues.First(
        ("radius", StoredValues.IsAmount(Attack.Epsilon)),
        ("step size", StoredValues.IsAmount(Attack.StepSize)),
        ("number of steps", Attack.Steps > 0 && Attack.Restarts > 0),
        ("number of samples", Samples >= 0));
}

/// <summary>Robustness of weights as <c>evaluate</c> keeps it beside them: a file for each way of measuring.</summary>
/// <param name="Settings">What it was measured by; null where version 0.1.0 kept it, which did not say.</param>
/// <param name="Result">What was measured.</param>
internal sealed record WeightsEvaluation(RobustnessSettings? Settings, RobustnessResult Result)
{
    /// <summary>Keeps it, in place of one with the same settings.</summary>
    /// <param name="weights">The weights file.</param>
    /// <returns>The file that was written.</returns>
    /// <exception cref="ConfigurationException">It cannot be written there.</exception>
    public string KeepBeside(string weights)
    {
        string file = RunFolder.Evaluation(weights, Settings!.FileKey());
        AtomicFile.WriteAllText(file, RunJson.Write(this));
        return file;
    }

    /// <summary>Reads all that are kept beside weights: that of an older version first, then by attacks, ε and
    /// samples.</summary>
    /// <param name="weights">The weights file, which may be gone.</param>
    /// <exception cref="DamagedFileException">A file of them is damaged.</exception>
    public static IReadOnlyList<WeightsEvaluation> ReadBeside(string weights)
    {
        string first = RunFolder.Evaluation(weights);
        return
        [
            .. File.Exists(first) ? (WeightsEvaluation[])[new(null, Read<RobustnessResult>(first))] : [],
            .. RunFolder.Evaluations(weights).Select(Read<WeightsEvaluation>),
        ];
    }

    private static T Read<T>(string file) => RunJson.Read<T>(StoredFiles.ReadText(file), file);
}
