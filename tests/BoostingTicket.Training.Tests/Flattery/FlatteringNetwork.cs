using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cpu;
using BoostingTicket.Engine.Graph;
using BoostingTicket.Engine.Plans;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Attacks;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Evaluation;
using BoostingTicket.Training.Models;

namespace BoostingTicket.Training.Tests.Flattery;

/// <summary>A network that makes attacks look weak in a known way, and images that it is tested on.</summary>
internal sealed class FlatteringNetwork : IDisposable
{
    /// <summary>What to do to a trained LeNet, by name.</summary>
    public static IReadOnlyDictionary<string, Action<ModelState>> Changes { get; } = new Dictionary<string, Action<ModelState>>
    {
        ["honest"] = _ => { },
        ["logits x 1e3"] = state => Scale(state, 1e3f),
        ["logits x 1e6"] = state => Scale(state, 1e6f),
        // Every rectifier of the second layer is off, so that the biases of the last decide alone.
        ["dead"] = state =>
        {
            state["conv2.bias"].Fill(-1e9f);
            state["fc2.bias"][0] += 1;
        },
        ["one class"] = state => state["fc2.bias"][0] += 1e4f,
        ["constant"] = state => Array.Clear(state.Weights),
        ["NaN"] = state => state["fc2.weight"][0] = float.NaN,
        ["infinite"] = state => state["fc2.bias"][0] = float.PositiveInfinity,
    };

    private readonly IBackend _backend = CpuBackend.Create(1);

    private FlatteringNetwork(NetworkGraph graph, ModelState state, ImageSet images, double epsilon)
    {
        Graph = graph;
        State = state;
        Network = new Network(graph, _backend);
        state.CopyTo(Network.Parameters, _backend);
        Images = new DeviceImages(images, _backend);
        Settings = new AttackSettings { Epsilon = epsilon, StepSize = epsilon / 4 };
    }

    public NetworkGraph Graph { get; }

    public ModelState State { get; }

    public Network Network { get; }

    public DeviceImages Images { get; }

    public AttackSettings Settings { get; }

    /// <summary>As many as a warning about all of them needs.</summary>
    public int[] Samples => [.. Enumerable.Range(0, AnswerCounts.FewestSamples)];

    /// <summary>A trained LeNet that was changed as <see cref="Changes"/> says, or "saturated" or "not saturated".</summary>
    public static FlatteringNetwork Of(string name, NetworkGraph graph, ModelState trained, ImageSet images)
    {
        if (!Changes.TryGetValue(name, out Action<ModelState>? change))
            return Quadrants(saturates: name == "saturated");
        var state = new ModelState(graph.Table);
        trained.Weights.CopyTo(state.Weights, 0);
        change(state);
        return new FlatteringNetwork(graph, state, images, 0.05);
    }

    public void Dispose()
    {
        Images.Dispose();
        Network.Dispose();
        _backend.Dispose();
    }

    private static void Scale(ModelState state, float factor)
    {
        foreach (string name in (string[])["fc2.weight", "fc2.bias"])
        {
            foreach (ref float value in state[name])
                value *= factor;
        }
    }

    // Says which quadrant of an image is bright. Where it saturates, it compares means with a half by two steep rectifiers, of
    // which one is always off: no gradient comes through, although a change of 0.4 turns the answer round.
    private static FlatteringNetwork Quadrants(bool saturates)
    {
        const int Side = 28, Half = Side / 2, Classes = 4, SamplesOfClass = 10;
        const float Steepness = 100;
        var builder = new GraphBuilder(saturates ? "saturated" : "not-saturated", new FeatureShape(1, Side, Side));
        Node x = builder.Relu(builder.Linear("fc1", builder.Input, Classes));
        x = builder.Relu(builder.Linear("fc2", x, Classes));
        NetworkGraph graph = builder.Build(builder.Linear("fc3", x, Classes));
        var state = new ModelState(graph.Table);
        float steep = saturates ? Steepness : 1, bend = saturates ? 0.5f : 1;
        for (int k = 0; k < Classes; k++)
        {
            state["fc1.bias"][k] = bend * steep;
            state["fc2.weight"][k * Classes + k] = -1;
            state["fc2.bias"][k] = 1;
            state["fc3.weight"][k * Classes + k] = 10;
            for (int pixel = 0; pixel < Side * Side; pixel++)
            {
                if (Quadrant(pixel) == k)
                    state["fc1.weight"][k * Side * Side + pixel] = -steep / (Half * Half);
            }
        }
        byte[] labels = [.. Enumerable.Range(0, Classes * SamplesOfClass).Select(sample => (byte)(sample % Classes))];
        int[] places = [.. Enumerable.Range(0, Side * Side)];
        byte[] pixels = [.. labels.SelectMany(label => places.Select(pixel => Quadrant(pixel) == label ? (byte)204 : (byte)51))];
        var images = new ImageSet("quadrants", 1, Side, Side, ["a", "b", "c", "d"], pixels, labels);
        return new FlatteringNetwork(graph, state, images, 0.4);

        static int Quadrant(int pixel) => pixel / Side / Half * 2 + pixel % Side / Half;
    }
}
