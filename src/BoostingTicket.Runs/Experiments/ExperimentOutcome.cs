using BoostingTicket.Training;

namespace BoostingTicket.Runs.Experiments;

/// <summary>What an experiment came to. The result is kept in its folder before the reports are written.</summary>
/// <param name="Result">The result.</param>
/// <param name="ReportFailure">Why a report is missing; null where all are there. The same command writes them again.</param>
internal sealed record ExperimentOutcome(ExperimentResult Result, ConfigurationException? ReportFailure);
