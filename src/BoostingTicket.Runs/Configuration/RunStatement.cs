using System.Globalization;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Optimization;
using BoostingTicket.Training.Optimization.Methods;

namespace BoostingTicket.Runs.Configuration;

/// <summary>What a command does with the settings that are stated before it starts.</summary>
internal enum StatedWork
{
    /// <summary>A whole run: donors, tickets, baseline and their tests.</summary>
    Run,

    /// <summary>A training of a full network, and its test.</summary>
    Train,

    /// <summary>A training of a ticket, and its test.</summary>
    Retrain,

    /// <summary>Steps of training, none of a test.</summary>
    Profile,

    /// <summary>Attacks on saved networks.</summary>
    Evaluate,

    /// <summary>Pruning, which needs no images.</summary>
    Prune,
}

/// <summary>An attack, as it is stated before the start.</summary>
/// <param name="Name">Method of training, or names of the attacks of an evaluation.</param>
/// <param name="Epsilon">Radius of the L∞ ball, as the field writes it: <c>8/255</c>, <c>0.3</c>.</param>
/// <param name="Steps">Attack steps that a step of training takes, or steps of PGD in the evaluation; 0 for training on clean
/// images, and for attacks with steps of their own.</param>
/// <param name="StepSize">Size of a step of PGD; null where the attack chooses its own.</param>
internal sealed record StatedAttack(string Name, string Epsilon, int Steps, string? StepSize);

/// <summary>What is about to be done: said in one line before anything starts, kept in the log and in the result.</summary>
/// <param name="DataSet">Name of the data set.</param>
/// <param name="TrainImages">Images to train on; null where none are used.</param>
/// <param name="ValidationImages">Images to validate on; null where none are used.</param>
/// <param name="TestImages">Images to test on; null where none are used.</param>
/// <param name="Training">Attack of training; null without training.</param>
/// <param name="Evaluation">Attack of the evaluation; null without one.</param>
/// <param name="Model">Name of the network, or of several.</param>
/// <param name="Source">Where the settings come from besides single options.</param>
internal sealed record RunStatement(
    string DataSet, int? TrainImages, int? ValidationImages, int? TestImages, StatedAttack? Training, StatedAttack? Evaluation,
    string Model, string Source)
{
    /// <summary>States what a configuration asks for.</summary>
    /// <param name="work">What is done with it.</param>
    /// <param name="composed">The settings, and where they come from.</param>
    /// <param name="data">The images, as many as were loaded.</param>
    /// <param name="attacks">Names of the attacks of an evaluation; null for PGD as configured.</param>
    /// <param name="model">What to call the network; null for the configured one.</param>
    public static RunStatement Of(
        StatedWork work, ComposedConfiguration composed, DataSplit data, IReadOnlyList<string>? attacks = null,
        string? model = null)
    {
        ArgumentNullException.ThrowIfNull(composed);
        ArgumentNullException.ThrowIfNull(data);
        RunConfiguration configuration = composed.Configuration;
        bool trains = work is StatedWork.Run or StatedWork.Train or StatedWork.Retrain or StatedWork.Profile;
        bool tests = work is not (StatedWork.Profile or StatedWork.Prune);
        int train = Used(configuration.Data.TrainSamples, data.Train.Count);
        int validation = Math.Min(configuration.Data.ValidationSamples, train);
        return new RunStatement(
            configuration.Data.Name, trains ? train - validation : null, trains ? validation : null,
            tests ? Used(configuration.Data.TestSamples, data.Test.Count) : null, trains ? OfTraining(work, configuration) : null,
            tests ? OfEvaluation(configuration.Evaluation.Attack, attacks) : null, model ?? configuration.Model, composed.Source);
    }

    /// <summary>The statement as one line.</summary>
    public string Text => string.Join("; ", Parts());

    private IEnumerable<string> Parts()
    {
        string[] images =
        [
            .. new[] { (TrainImages, "training"), (ValidationImages, "validation"), (TestImages, "test") }
                .Where(part => part.Item1 is not null)
                .Select(part => string.Create(CultureInfo.InvariantCulture, $"{part.Item1:N0} {part.Item2}")),
        ];
        yield return images.Length == 0 ? DataSet : $"{DataSet}: {string.Join(", ", images)} images";
        if (Training is not null)
            yield return Training.Steps > 0 ? $"training by {Describe(Training)}" : $"training on clean images ({Training.Name})";
        if (Evaluation is not null)
            yield return $"evaluation by {Describe(Evaluation)}";
        yield return $"model {Model}";
        yield return $"settings: {Source}";
    }

    private static string Describe(StatedAttack attack)
    {
        string steps = attack.StepSize is null || attack.Steps == 0 ? ""
            : string.Create(
                CultureInfo.InvariantCulture, $", {attack.Steps} {(attack.Steps == 1 ? "step" : "steps")} of {attack.StepSize}");
        return $"{attack.Name} with ε = {attack.Epsilon}{steps}";
    }

    private static StatedAttack OfTraining(StatedWork work, RunConfiguration configuration)
    {
        TrainingSettings settings = work is StatedWork.Retrain or StatedWork.Run ? configuration.Retrain : configuration.Dense;
        ITrainingMethod method = TrainingMethodCatalog.Find(settings.Method);
        int steps = method.AttackSteps(settings, configuration.Attack);
        bool donors = work == StatedWork.Run && configuration.Arms.Any(arm => arm != Arm.Dense);
        string name = SettingNames.Of(settings.Method)
            + (donors ? $" (donors by {SettingNames.Of(configuration.Donor.Method)})" : "");
        return new StatedAttack(
            name, Fraction.Text(configuration.Attack.Epsilon), steps,
            method.TakesStepSize ? Fraction.Text(configuration.Attack.StepSize) : null);
    }

    private static StatedAttack OfEvaluation(AttackSettings attack, IReadOnlyList<string>? attacks)
    {
        int steps = Steps(attack, [.. (attacks ?? ["pgd"]).Select(AttackCatalog.Stages)]);
        return new StatedAttack(
            attacks is null ? "pgd" : string.Join(", ", attacks), Fraction.Text(attack.Epsilon), steps,
            steps > 0 ? Fraction.Text(attack.StepSize) : null);
    }

    // Of several attacks, those that the settings decide on.
    private static int Steps(AttackSettings settings, IReadOnlyList<AttackEntry>[] attacks) => attacks switch
    {
        [[{ Steps: { } own }]] => own(settings),
        _ when attacks.Any(stages => stages is [{ TakesSteps: true }]) => settings.Steps,
        _ => 0,
    };

    private static int Used(int asked, int count) => asked == 0 ? count : Math.Min(asked, count);
}
