// Fixtures that may run side by side mostly wait for other processes, of a cluster for instance: one more than two cores can take
// shortens the whole.
[assembly: LevelOfParallelism(3)]
