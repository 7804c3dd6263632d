using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Runs.Folders;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Runs.Stages;

/// <summary>What a folder belongs to besides its configuration; kept in it as <c>command.json</c>.</summary>
/// <param name="Command">The command that filled it: <c>run</c>, <c>train</c>, <c>retrain</c> or <c>evaluate</c>.</param>
/// <param name="Ticket">SHA-256 of the ticket that is trained, lower-case hexadecimal; null without one.</param>
/// <param name="Weights">SHA-256 of the weights that are evaluated, or that trainings begin from, their normalisation included;
/// null without any.</param>
/// <param name="Attacks">The attacks that they are evaluated by, and whether the images are kept; null without any.</param>
internal sealed record RunOwner(string Command, string? Ticket = null, string? Weights = null, string? Attacks = null)
{
    /// <summary>What settings mean, as <see cref="ChangedSettings"/> counts; 0 in folders of version 0.1.0, which did not write
    /// it.</summary>
    public int Meanings { get; init; }

    private const string Images = "; images ";

    /// <summary>The attacks alone.</summary>
    private string? AttackNames => Attacks?.Split(Images)[0];

    /// <summary>Whether the images that fool the network are kept.</summary>
    internal bool KeepsImages => Attacks?.Contains(Images, StringComparison.Ordinal) ?? false;

    /// <summary>What <see cref="Attacks"/> says of attacks by name.</summary>
    public static string AttacksOf(IEnumerable<string> names, bool keepsImages) =>
        string.Join(',', names) + (keepsImages ? $"{Images}kept" : "");

    /// <summary>Whether an evaluation that was begun in a way can go on in this one: by the same attacks, with the images kept
    /// if they are wanted. Where they go does not matter.</summary>
    public bool Continues(RunOwner before) => before.AttackNames == AttackNames && (before.KeepsImages || !KeepsImages);

    /// <summary>The same in the words of the folder that it continues, to which the state in it is bound.</summary>
    public RunOwner InWordsOf(RunFolder folder)
    {
        if (!File.Exists(folder.Command))
            return this;
        RunOwner before = RunJson.Read<RunOwner>(StoredFiles.ReadText(folder.Command), folder.Command);
        return Continues(before) ? this with { Attacks = before.Attacks } : this;
    }

    /// <summary>SHA-256 of weights and statistics and of the normalisation in front of them.</summary>
    public static string HashOf(ModelState state, InputNormalizationConstants? normalization) => HashOf(
        $"{state.ContentHash()} {Join(normalization?.Mean)} {Join(normalization?.Deviation)}");

    /// <summary>SHA-256 of a ticket's mask and initial values, whatever file they are in.</summary>
    public static string HashOf(Ticket ticket) => HashOf(
        ticket.Mask.ContentHash() + ticket.Initial.ContentHash()
        + (ticket.Network.Channels is { } channels ? string.Join(',', channels.Widths) : ""));

    /// <summary>A configuration's hash, and with it the ticket's and that of given weights where there are any: what a checkpoint
    /// is bound to.</summary>
    /// <param name="configurationHash">SHA-256 of the configuration.</param>
    public string Bind(string configurationHash)
    {
        string bound = Ticket is null ? configurationHash : HashOf(configurationHash + Ticket);
        return Weights is null ? bound : HashOf($"{bound} {Weights}");
    }

    /// <summary>What the state of an evaluation is bound to.</summary>
    /// <param name="configurationHash">SHA-256 of the configuration.</param>
    /// <param name="dataHash">SHA-256 of the images.</param>
    public string BindEvaluation(string configurationHash, string dataHash) =>
        HashOf($"{configurationHash} {dataHash} {Weights} {Attacks}");

    private static string Join(IEnumerable<float>? values) =>
        string.Join(',', (values ?? []).Select(value => value.ToString("R", CultureInfo.InvariantCulture)));

    private static string HashOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
