using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Tests.Pruning;

/// <summary>Linear layers of chosen sizes, all prunable but the last.</summary>
internal static class ToyModel
{
    /// <summary>One layer <c>a</c>, <c>b</c> … for each number of weights, which the outputs of the layer before divide, then
    /// <c>out</c>.</summary>
    public static ParameterTable Table(params int[] layerLengths)
    {
        var builder = new GraphBuilder("toy", new FeatureShape(1));
        Node x = builder.Input;
        for (int i = 0; i < layerLengths.Length; i++)
        {
            x = builder.Linear($"{(char)('a' + i)}", x, layerLengths[i] / x.Shape.Length, prunable: true);
            if (x.Shape.Length * x.Inputs[0].Shape.Length != layerLengths[i])
                throw new ArgumentException(
                    $"a layer on {x.Inputs[0].Shape.Length} features cannot have {layerLengths[i]} weights");
        }

        return builder.Build(builder.Linear("out", x, 2)).Table;
    }

    /// <summary>A state with the given prunable weights; everything else is 100.</summary>
    public static ModelState State(ParameterTable table, params float[] prunable)
    {
        var state = new ModelState(table);
        state.Weights.AsSpan().Fill(100);
        prunable.CopyTo(state.Weights, 0);
        return state;
    }
}
