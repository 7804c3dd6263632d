namespace BoostingTicket.Training.Data;

/// <summary>The two halves of a data set as its publisher splits it.</summary>
/// <param name="Train">The samples to train (and validate) on.</param>
/// <param name="Test">The samples that only the final evaluation sees; same image size and classes.</param>
public sealed record DataSplit(ImageSet Train, ImageSet Test);
