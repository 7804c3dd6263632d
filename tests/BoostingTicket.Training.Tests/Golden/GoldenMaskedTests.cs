using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Tests.Golden;

/// <summary>Training of a pruned network.</summary>
[TestFixtureSource(typeof(GoldenFixture), nameof(MaskedCases))]
internal sealed class GoldenMaskedTests(string backend, string model) : GoldenFixture(backend, model)
{
    [Test]
    public void Five_steps_give_the_losses_and_the_state_and_keep_pruned_weights_at_zero()
    {
        float[] masks = new float[Table.PrunableLength];
        foreach (Parameter parameter in Table.Prunable)
        {
            byte[] mask = Golden.Mask(parameter.Name);
            for (int i = 0; i < mask.Length; i++)
                masks[parameter.Offset + i] = mask[i];
        }
        Network.Parameters.SetMasks(masks);

        AssertSteps("masked");

        float[] weights = Read(new BufferSlice(Network.Parameters.Weights, 0, Table.PrunableLength));
        float[] momenta = Read(new BufferSlice(Network.Parameters.Momenta, 0, Table.PrunableLength));
        for (int i = 0; i < masks.Length; i++)
        {
            if (masks[i] == 0 && (weights[i] != 0 || momenta[i] != 0))
                Assert.Fail($"Pruned weight {i} is {weights[i]} and its momentum {momenta[i]}.");
        }
    }
}
