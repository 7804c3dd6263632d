using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Engine.Testing.Operations;

/// <summary>Several filters that are prepared at once.</summary>
internal static class PrepareCases
{
    private static readonly ConvolutionShape[] Shapes =
    [
        new(new FeatureShape(3, 6, 6), 10, 3, 3, 1, 1),
        new(new FeatureShape(17, 5, 5), 3, 1, 1, 2, 0),
        ConvolutionShape.Linear(new FeatureShape(4, 3, 3), 10),
        new(new FeatureShape(8, 7, 7), 8, 5, 5, 1, 2),
    ];

    public static IEnumerable<OperationCase> Cases()
    {
        for (int filters = 1; filters <= Shapes.Length; filters++)
        {
            yield return Together(Shapes[..filters], scaled: false);
            yield return Together(Shapes[..filters], scaled: true);
        }
    }

    // Two plans of one network list the same filters, with and without scales, in turn.
    private static OperationCase Together(ConvolutionShape[] shapes, bool scaled) =>
        new($"PrepareFilters {shapes.Length} at once{(scaled ? " scaled" : "")}", Tolerance.LongSum, bench =>
        {
            const int Batch = 5;
            var rows = shapes.Select((shape, i) => (
                Filter: bench.CreateFilter(shape, FilterUses.Forward | FilterUses.BackwardInput),
                Weight: bench.Operand($"weight {i}", ConvolutionCases.Weights(bench, shape)),
                Scale: bench.Operand($"scale {i}", bench.Random.Normal(shape.OutputChannels, mean: 1)),
                Shift: bench.Operand($"shift {i}", bench.Random.Normal(shape.OutputChannels)),
                X: bench.Operand($"x {i}", Batch, shape.Input),
                Dy: bench.Operand($"dy {i}", Batch, shape.Output),
                Y: bench.Destination($"y {i}", Batch, shape.Output),
                Dx: bench.Destination($"dx {i}", Batch, shape.Input))).ToArray();
            bench.Execute(backend =>
            {
                backend.PrepareFilters(
                    [.. rows.Select(row => new FilterUpdate(
                        row.Filter, new FilterSource(row.Weight, null, 0, null, row.Shift)))]);
                if (scaled)
                {
                    backend.PrepareFilters([.. rows.Select(row => new FilterUpdate(
                        row.Filter, new FilterSource(row.Weight, null, 0, row.Scale, row.Shift)))]);
                }
                foreach (var row in rows)
                {
                    backend.ConvolutionForward(row.Filter, row.X, row.Y, new ForwardEpilogue(row.Shift, null, Activation.Relu));
                    backend.ConvolutionBackwardInput(row.Filter, row.Dy, row.Dx, default);
                }
            });
        });
}
