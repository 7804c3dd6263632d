using BoostingTicket.Benchmarks;

// Compares this engine with TorchSharp in one process.
return BenchmarkCommand.Run(args);
