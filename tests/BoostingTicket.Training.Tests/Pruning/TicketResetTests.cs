using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Engine.Testing;
using BoostingTicket.Training.Models;
using BoostingTicket.Training.Pruning;

namespace BoostingTicket.Training.Tests.Pruning;

internal sealed class TicketResetTests
{
    private static readonly ParameterTable Table = ModelCatalog.Build(
        "vgg16-w1", new ModelOptions(new FeatureShape(3, 32, 32))).Table;

    private readonly ReferenceBackend _backend = new();
    private ParameterStore _store = null!;

    [SetUp]
    public void CreateTrainedNetwork()
    {
        _store = new ParameterStore(Table, _backend);
        var trained = new ModelState(Table);
        var random = new Random(1);
        foreach (float[] section in new[] { trained.Weights, trained.Statistics })
        {
            foreach (ref float value in section.AsSpan())
                value = 1 + random.NextSingle();
        }

        trained.CopyTo(_store, _backend);
        _backend.Upload(trained.Weights, _store.Momenta.All);
    }

    [TearDown]
    public void Dispose()
    {
        _store.Dispose();
        _backend.Dispose();
    }

    [Test]
    public void A_captured_state_is_the_network_and_goes_back_into_it()
    {
        ModelState initial = Initialization.Draw(Table, seed: 2);
        initial.CopyTo(_store, _backend);
        ModelState captured = ModelState.Capture(_store, _backend);
        Assert.That(captured.ContentEquals(initial), Is.True);
        Assert.That(captured.Weights, Is.Not.SameAs(initial.Weights));
        captured.Weights[5] = 7;
        Assert.That(captured.ContentEquals(initial), Is.False);
        Assert.That(captured.ContentHash(), Is.Not.EqualTo(initial.ContentHash()));
    }

    [Test]
    public void A_state_put_under_a_mask_obeys_it()
    {
        ModelState initial = Initialization.Draw(Table, seed: 2);
        Mask mask = new GlobalMagnitude().Prune(initial, new PruningOptions(0.5)).Mask;
        _store.SetMasks(mask.ToFloats());
        int version = _store.WeightsVersion;
        initial.CopyTo(_store, _backend);
        Assert.That(_store.WeightsVersion, Is.GreaterThan(version));
        mask.Apply(initial.Weights);
        Assert.That(ModelState.Capture(_store, _backend).ContentEquals(initial), Is.True);
    }

    [Test]
    public void Reset_restores_everything_and_prunes()
    {
        ModelState initial = Initialization.Draw(Table, seed: 2);
        Mask old = new GlobalMagnitude().Prune(initial, new PruningOptions(0.3)).Mask;
        _store.SetMasks(old.ToFloats());
        Mask mask = ShuffledMask.Of(new GlobalMagnitude().Prune(initial, new PruningOptions(0.8)).Mask, seed: 3);

        TicketReset.Apply(_store, _backend, initial, mask);

        ModelState expected = initial.Clone();
        mask.Apply(expected.Weights);
        ModelState reset = ModelState.Capture(_store, _backend);
        Assert.That(reset.ContentEquals(expected), Is.True);
        Assert.That(Read(_store.Momenta), Is.All.EqualTo(0));
        Assert.That(Read(_store.Masks!), Is.EqualTo(mask.ToFloats()));
    }

    [Test]
    public void Reset_without_a_mask_gives_the_dense_network_back()
    {
        ModelState initial = Initialization.Draw(Table, seed: 2);
        _store.SetMasks(new float[Table.PrunableLength]);
        TicketReset.Apply(_store, _backend, initial, mask: null);
        Assert.That(_store.Masks, Is.Null);
        Assert.That(ModelState.Capture(_store, _backend).ContentEquals(initial), Is.True);
    }

    [Test]
    public void A_state_or_mask_of_another_model_is_refused()
    {
        ParameterTable other = ToyModel.Table(4, 8);
        Assert.That(() => TicketReset.Apply(_store, _backend, ToyModel.State(other), null), Throws.ArgumentException);
        Assert.That(() => TicketReset.Apply(
            _store, _backend, Initialization.Draw(Table, 1), Mask.Dense(other)), Throws.ArgumentException);
    }

    private float[] Read(FloatBuffer buffer)
    {
        float[] values = new float[buffer.Length];
        _backend.Download(buffer.All, values);
        return values;
    }
}
