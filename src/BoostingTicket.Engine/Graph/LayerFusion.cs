using BoostingTicket.Engine.Backends;

namespace BoostingTicket.Engine.Graph;

/// <summary>What an operation before a layer can do in the layer's place; the default is nothing.</summary>
/// <param name="AddsResidual">The layer is the sum of its two inputs.</param>
/// <param name="Activation">The layer is this activation, or none.</param>
internal readonly record struct LayerFusion(bool AddsResidual, Activation Activation);
