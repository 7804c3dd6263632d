using System.Text;
using BoostingTicket.SoftwareCuda.Execution;

namespace BoostingTicket.SoftwareCuda;

/// <summary>Counts what ran on software devices: launches of each kernel, its instructions that were ever executed, and calls of
/// libraries. Several devices may share one.</summary>
internal sealed class SoftwareCudaCoverage
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, KernelCoverage> _kernels = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> _calls = new(StringComparer.Ordinal);

    private sealed class KernelCoverage
    {
        public long Launches { get; set; }

        public bool[] Executed { get; set; } = [];
    }

    /// <summary>Launches of each kernel that was loaded; 0 for those that never ran.</summary>
    public IReadOnlyDictionary<string, long> Kernels
    {
        get
        {
            lock (_lock)
                return _kernels.ToDictionary(pair => pair.Key, pair => pair.Value.Launches);
        }
    }

    /// <summary>Calls of libraries by name.</summary>
    public IReadOnlyDictionary<string, long> Calls
    {
        get
        {
            lock (_lock)
                return _calls.ToDictionary();
        }
    }

    /// <summary>A kernel can be launched.</summary>
    public void AddKernel(string name)
    {
        lock (_lock)
            _kernels.TryAdd(name, new KernelCoverage());
    }

    /// <summary>A kernel ran.</summary>
    public void AddLaunch(Kernel kernel)
    {
        lock (_lock)
        {
            if (!_kernels.TryGetValue(kernel.Name, out KernelCoverage? coverage))
                _kernels[kernel.Name] = coverage = new KernelCoverage();
            coverage.Launches++;
            if (coverage.Executed.Length != kernel.Code.Length)
                coverage.Executed = new bool[kernel.Code.Length];
            for (int i = 0; i < kernel.Code.Length; i++)
                coverage.Executed[i] |= kernel.Code[i].Executions > 0;
        }
    }

    /// <summary>A library did something.</summary>
    public void AddCall(string name)
    {
        lock (_lock)
            _calls[name] = _calls.GetValueOrDefault(name) + 1;
    }

    /// <summary>The share of a kernel's instructions that were executed; 0 for one that never ran.</summary>
    public double InstructionsCovered(string kernel)
    {
        lock (_lock)
        {
            return _kernels.TryGetValue(kernel, out KernelCoverage? coverage) && coverage.Executed.Length > 0
                ? coverage.Executed.Count(executed => executed) / (double)coverage.Executed.Length
                : 0;
        }
    }

    /// <summary>A line for each kernel and call.</summary>
    public string Report()
    {
        lock (_lock)
        {
            int launched = _kernels.Values.Count(coverage => coverage.Launches > 0);
            var text = new StringBuilder();
            text.AppendLine($"{launched} of {_kernels.Count} kernels launched, {_calls.Count} library calls:");
            foreach ((string name, KernelCoverage coverage) in _kernels)
                text.AppendLine($"  {name}: {coverage.Launches} launches, {InstructionsCovered(name):P0} of the instructions");
            foreach ((string name, long count) in _calls)
                text.AppendLine($"  {name}: {count} calls");
            return text.ToString();
        }
    }
}
