using TorchSharp;
using static TorchSharp.torch;

namespace BoostingTicket.GoldenData.Attacks;

/// <summary>What an attack did: tensors [rounds, entries, samples, …] by name, float64.</summary>
internal sealed class Recording : IDisposable
{
    private readonly List<Dictionary<string, List<Tensor>>> _rounds = [];
    private Dictionary<string, Tensor> _tensors = [];

    /// <summary>Names of the tensors.</summary>
    public IEnumerable<string> Names => _tensors.Keys;

    /// <summary>A tensor of a <see cref="Finish">finished</see> recording.</summary>
    public Tensor this[string name] => _tensors[name];

    /// <summary>Begins a round.</summary>
    public void BeginRound() => _rounds.Add([]);

    /// <summary>Adds an entry [samples, …] of the round.</summary>
    public void Add(string name, Tensor value)
    {
        Dictionary<string, List<Tensor>> round = _rounds[^1];
        if (!round.TryGetValue(name, out List<Tensor>? entries))
            round[name] = entries = [];
        entries.Add(value.detach().to(float64).clone().DetachFromDisposeScope());
    }

    /// <summary>Puts the entries together.</summary>
    public Recording Finish()
    {
        using DisposeScope scope = NewDisposeScope();
        _tensors = _rounds[0].Keys.ToDictionary(
            name => name,
            name => stack(_rounds.Select(round => stack(round[name]))).DetachFromDisposeScope());
        foreach (Tensor entry in _rounds.SelectMany(round => round.Values).SelectMany(entries => entries))
            entry.Dispose();
        _rounds.Clear();
        return this;
    }

    /// <summary>Value of a one-number-a-sample tensor.</summary>
    public double At(string name, int round, int entry, int sample) => _tensors[name][round, entry, sample].item<double>();

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor tensor in _tensors.Values)
            tensor.Dispose();
    }
}
