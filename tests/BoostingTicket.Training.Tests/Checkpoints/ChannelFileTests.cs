using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Checkpoints;
using BoostingTicket.Training.Files;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Pruning;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Checkpoints;

/// <summary>Files of networks with fewer channels: they say all that is needed to build the network again, and are refused where
/// they say something else.</summary>
internal sealed class ChannelFileTests
{
    private static readonly ModelOptions Options = new(new FeatureShape(3, 32, 32));
    private static readonly NetworkGraph Graph = ModelCatalog.Build("resnet18-w8", Options);
    private static readonly ModelState State = Initialization.Draw(Graph.Table, seed: 4);

    private TemporaryFolder _folder = null!;

    [SetUp]
    public void SetUp() => _folder = new TemporaryFolder();

    [TearDown]
    public void TearDown() => _folder.Dispose();

    [Test]
    public void A_ticket_comes_back_with_its_channels_weights_and_mask([Values("channel", "channel,weight")] string structure)
    {
        SubNetwork network = Draw(structure);
        TicketFile.Save(_folder["ticket"], State, network, ModelFileMetadata.Of(Graph));
        Ticket ticket = TicketFile.Load(_folder["ticket"], Graph);
        Assert.Multiple(() =>
        {
            Assert.That(ticket.Initial.ContentEquals(network.Take(State)));
            Assert.That(ticket.Mask, Is.EqualTo(network.Mask));
            Assert.That(ticket.Network.Channels!.Kept, Is.EqualTo(network.Channels!.Kept));
            Assert.That(ticket.Network.Graph.Channels, Is.EqualTo(network.Channels.Widths));
            Assert.That(ticket.Metadata!.Channels, Is.EqualTo(network.Channels.Widths));
        });
    }

    [Test]
    public void A_mask_comes_back_with_its_channels()
    {
        SubNetwork network = Draw("channel,weight");
        MaskFile.Save(_folder["mask"], network, ModelFileMetadata.Of(Graph));
        SubNetwork read = MaskFile.LoadNetwork(_folder["mask"], Graph).Network;
        Assert.That((read.Mask, read.Channels!.ToString()), Is.EqualTo((network.Mask, network.Channels!.ToString())));
    }

    [Test]
    public void Weights_describe_their_network_and_are_no_file_of_the_whole_one()
    {
        SubNetwork network = Draw("channel");
        WeightFile.Save(_folder["weights"], network.Take(State), ModelFileMetadata.Of(network.Graph));
        SavedModel model = SavedModel.Load(_folder["weights"]);
        FileReport report = FileInspector.Inspect(_folder["weights"]);
        Assert.Multiple(() =>
        {
            Assert.That(model.Graph.Channels, Is.EqualTo(network.Channels!.Widths));
            Assert.That(model.Graph.MultiplyAdds, Is.EqualTo(network.Graph.MultiplyAdds));
            Assert.That(model.State.ContentEquals(network.Take(State)));
            Assert.That(report.Model, Is.EqualTo("resnet18-w8"));
            Assert.That(
                report.Channels.Select(group => group.Kept), Is.EqualTo(network.Channels.Widths.Select(width => (long)width)));
            Assert.That(report.Channels[0], Is.EqualTo(new TensorSparsity("conv1", 8, network.Channels.Widths[0])));
            Assert.That(
                () => WeightFile.Load(_folder["weights"], Graph),
                Throws.TypeOf<ConfigurationException>().With.Message.Contains("another choice of channels of resnet18-w8"));
        });
    }

    [Test]
    public void Exports_hold_the_small_network([Values("weights", "ticket")] string kind, [Values] ExportFormat format)
    {
        SubNetwork network = Draw("channel,weight");
        if (kind == "ticket")
            TicketFile.Save(_folder["it"], State, network, ModelFileMetadata.Of(Graph));
        else
            WeightFile.Save(_folder["it"], network.Take(State), ModelFileMetadata.Of(network.Graph));
        string target = _folder["out"] + (format == ExportFormat.Torch ? ".pt" : ".safetensors");
        ExportReport report = WeightExport.Write(_folder["it"], target, PyTorchStyle.Usual, format: format);
        Assert.That(report.Tensors, Is.EqualTo(Graph.Table.All.Count));
        if (format == ExportFormat.Torch)
            return;
        using SafetensorsFile file = SafetensorsFile.Open(target);
        foreach (Parameter parameter in network.Graph.Table.All)
            file.Require(parameter.Name, SafetensorsType.F32, [.. parameter.Spec.Dimensions.Select(size => (long)size)]);
    }

    [TestCase("3", "it has 12 groups of channels, not 1")]
    [TestCase("0,4,4,4,4,4,4,4,4,4,4,4", "conv1 has 8 channels and cannot have 0")]
    [TestCase("9,4,4,4,4,4,4,4,4,4,4,4", "conv1 has 8 channels and cannot have 9")]
    [TestCase("4,4,4,4,4,4,4,4,4,4,4,4,", "boosting-ticket.channels")]
    [TestCase("-4", "boosting-ticket.channels")]
    [TestCase("4,99999999999", "boosting-ticket.channels")]
    public void Impossible_channels_are_refused_in_one_sentence(string channels, string words)
    {
        SafetensorsWriter writer = ModelFileWriter.Create(FileKind.Weights, ModelFileMetadata.Of(Graph));
        writer.WithMetadata("boosting-ticket.channels", channels);
        writer.Add(State).Save(_folder["bad"]);
        foreach (Action read in (Action[])
            [() => SavedModel.Load(_folder["bad"]), () => FileInspector.Inspect(_folder["bad"]),
            () => WeightFile.GraphOf(_folder["bad"], Graph)])
        {
            Assert.That(() => read(), Throws.TypeOf<DamagedFileException>().With.Message.Contains(words)
                .And.Message.Contains(_folder["bad"]).And.Message.EndsWith("."));
        }
    }

    [Test]
    public void A_ticket_whose_channels_contradict_its_tensors_is_refused()
    {
        SubNetwork network = Draw("channel");
        byte[] flags = network.Channels!.Flags(0);
        flags[Array.IndexOf(flags, (byte)1)] = 0;
        foreach ((byte[] wrong, string words) in ((byte[], string)[])
            [(flags, "does not choose"), ([.. network.Channels.Flags(0).Select(flag => (byte)(2 * flag))], "does not choose"),
            ([1, 1], "is needed")])
        {
            SafetensorsWriter writer = ModelFileWriter.Create(
                FileKind.Ticket, ModelFileMetadata.Of(Graph) with { Channels = network.Graph.Channels });
            writer.Add(network.Take(State)).Add(network.Mask).Add(ModelFileReader.ChannelPrefix + "conv1", wrong, wrong.Length);
            for (int group = 1; group < network.Channels.Groups.All.Count; group++)
            {
                byte[] right = network.Channels.Flags(group);
                writer.Add(ModelFileReader.ChannelPrefix + network.Channels.Groups.All[group].Name, right, right.Length);
            }

            writer.Save(_folder["bad"]);
            Assert.That(
                () => TicketFile.Load(_folder["bad"], Graph),
                Throws.TypeOf<DamagedFileException>().With.Message.Contains("channels.conv1").And.Message.Contains(words));
        }
    }

    [Test]
    public void A_ticket_without_its_channels_is_refused()
    {
        SubNetwork network = Draw("channel");
        ModelFileWriter.Create(FileKind.Ticket, ModelFileMetadata.Of(Graph) with { Channels = network.Graph.Channels })
            .Add(network.Take(State)).Add(network.Mask).Save(_folder["bad"]);
        Assert.That(
            () => TicketFile.Load(_folder["bad"], Graph),
            Throws.TypeOf<DamagedFileException>().With.Message.Contains("lacks").And.Message.Contains("channels."));
    }

    private static SubNetwork Draw(string structure) => SubNetworkPruner.Draw(
        Graph, State, new SubNetworkOptions(
            TicketStructure.Find(structure), "global", new PruningOptions(0.7), 0.5, ChannelCriterion.Norm, Multiple: 1)).Network;
}
