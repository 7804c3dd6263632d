using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing;

/// <summary>One running operation: checks every operand against the contract as it is named, hands out results in memory of
/// their own, and stores them all at the end, so that allowed aliases cannot disturb the computation.</summary>
/// <remarks>Name everything that is read before anything that is written.</remarks>
internal sealed class OperationScope(string name)
{
    private readonly List<(Region Region, string Role)> _read = [];
    private readonly List<Destination> _written = [];

    private sealed record Destination(Region Region, string Role, double[] Result, ReferenceTensor? Tensor);

    /// <summary>Name of the operation.</summary>
    public string Name => name;

    /// <summary>A tensor that must hold values.</summary>
    public ReadOnlySpan<double> Read(Tensor tensor, string role)
    {
        Region region = ReferenceTensor.Of(tensor, name, role).Written(name, role);
        _read.Add((region, role));
        return region.Values;
    }

    /// <summary>A tensor that must hold values and have a certain shape.</summary>
    public ReadOnlySpan<double> Read(Tensor tensor, string role, int batch, FeatureShape shape)
    {
        RequireShape(tensor, role, batch, shape);
        return Read(tensor, role);
    }

    /// <summary>An optional tensor; empty when absent.</summary>
    public ReadOnlySpan<double> ReadOptional(Tensor? tensor, string role, int batch, FeatureShape shape) =>
        tensor is null ? [] : Read(tensor, role, batch, shape);

    /// <summary>A slice of exactly <paramref name="length"/> values.</summary>
    public ReadOnlySpan<double> Read(BufferSlice slice, string role, int length)
    {
        RequireLength(slice, role, length);
        Region region = ReferenceFloats.Region(slice, name, role);
        _read.Add((region, role));
        return region.Values;
    }

    /// <summary>An optional slice; empty when absent.</summary>
    public ReadOnlySpan<double> ReadOptional(BufferSlice? slice, string role, int length) =>
        slice is { } some ? Read(some, role, length) : [];

    /// <summary>A tensor that is overwritten.</summary>
    /// <param name="tensor">The destination.</param>
    /// <param name="role">Its name in the contract.</param>
    /// <param name="batch">Samples it must have.</param>
    /// <param name="shape">Shape it must have.</param>
    /// <param name="mayBe">Operands whose memory it may be, exactly; any other overlap is refused.</param>
    /// <returns>Where to put the result.</returns>
    public double[] Write(Tensor tensor, string role, int batch, FeatureShape shape, params ReadOnlySpan<string> mayBe)
    {
        RequireShape(tensor, role, batch, shape);
        ReferenceTensor destination = ReferenceTensor.Of(tensor, name, role);
        return Write(destination.Memory(name, role), role, destination, mayBe);
    }

    /// <summary>A tensor that is read and written: the result starts as its present values.</summary>
    public double[] Update(Tensor tensor, string role, int batch, FeatureShape shape)
    {
        ReadOnlySpan<double> present = Read(tensor, role, batch, shape);
        double[] result = Write(tensor, role, batch, shape, role);
        present.CopyTo(result);
        return result;
    }

    /// <summary>A slice that is overwritten; it may share no value with any other operand.</summary>
    public double[] Write(BufferSlice slice, string role, int length)
    {
        RequireLength(slice, role, length);
        return Write(ReferenceFloats.Region(slice, name, role), role, null, []);
    }

    /// <summary>A slice that is read and written: the result starts as its present values.</summary>
    public double[] Update(BufferSlice slice, string role, int length)
    {
        double[] result = Write(slice, role, length);
        ReferenceFloats.Region(slice, name, role).Values.CopyTo(result);
        return result;
    }

    /// <summary>Stores every result.</summary>
    public void Commit()
    {
        foreach (Destination destination in _written)
        {
            destination.Result.CopyTo(destination.Region.Values);
            destination.Tensor?.NoteWrite(name);
        }
    }

    /// <summary>Refuses what the contract refuses.</summary>
    public void Require(bool condition, string message)
    {
        if (!condition)
            throw new ContractException($"{name}: {message}");
    }

    private double[] Write(Region region, string role, ReferenceTensor? tensor, ReadOnlySpan<string> mayBe)
    {
        foreach ((Region operand, string operandRole) in _read)
        {
            if (region.Overlaps(operand) && !(region == operand && mayBe.Contains(operandRole)))
                throw new ContractException($"{name}: {role} shares memory with {operandRole}, which the contract forbids.");
        }
        foreach (Destination other in _written)
        {
            if (region.Overlaps(other.Region))
                throw new ContractException($"{name}: {role} and {other.Role} are both written and share memory.");
        }
        double[] result = new double[region.Length];
        _written.Add(new Destination(region, role, result, tensor));
        return result;
    }

    private void RequireShape(Tensor tensor, string role, int batch, FeatureShape shape)
    {
        if (tensor.Batch != batch || tensor.Shape != shape)
            throw new ContractException($"{name}: {role} {tensor} must be {batch}x{shape}.");
    }

    private void RequireLength(BufferSlice slice, string role, int length)
    {
        if (slice.Length != length)
            throw new ContractException($"{name}: {role} has {slice.Length} values and needs {length}.");
    }
}
