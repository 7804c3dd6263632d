using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.Runs.Configuration;
using BoostingTicket.Training;
using BoostingTicket.Training.Data;

namespace BoostingTicket.Runs.Stages;

/// <summary>A run's images on its device, and which samples train, validate and test.</summary>
internal sealed class RunData : IDisposable
{
    /// <summary>Copies a data set to a device.</summary>
    /// <param name="split">The data set.</param>
    /// <param name="settings">How much of it, and how images are varied.</param>
    /// <param name="backend">The device.</param>
    /// <exception cref="ConfigurationException">More samples are asked for than there are.</exception>
    public RunData(DataSplit split, DataSettings settings, IBackend backend)
    {
        ArgumentNullException.ThrowIfNull(split);
        ArgumentNullException.ThrowIfNull(settings);
        Settings = settings;
        TrainCount = Count("data.trainSamples", settings.TrainSamples, split.Train);
        TestCount = Count("data.testSamples", settings.TestSamples, split.Test);
        if (settings.ValidationSamples >= TrainCount)
            throw new ConfigurationException(
                $"{Setting.Named("data.validationSamples")} is {settings.ValidationSamples}, which leaves none of the "
                + $"{TrainCount} training samples to train on; "
                + $"choose fewer, or raise {Setting.Named("data.trainSamples")}.");
        Train = new DeviceImages(split.Train, backend);
        Test = new DeviceImages(split.Test, backend);
        TestSamples = [.. Enumerable.Range(0, TestCount)];
    }

    /// <summary>Reads the data set that settings name, as much of it as they want and as its normalisation is measured
    /// on.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="folder">Where data sets are; null for the usual places.</param>
    public static DataSplit Load(DataSettings settings, string? folder)
    {
        ArgumentNullException.ThrowIfNull(settings);
        int? train = settings.Normalize
            ? DataNormalization.SamplesToLoad(settings.Name, settings.TrainSamples)
            : Some(settings.TrainSamples);
        return DataSetCatalog.Load(settings.Name, new DataSetOptions(folder, train, Some(settings.TestSamples)));
    }

    private static int? Some(int samples) => samples > 0 ? samples : null;

    /// <summary>What was asked for.</summary>
    public DataSettings Settings { get; }

    /// <summary>Images to train and validate on.</summary>
    public DeviceImages Train { get; }

    /// <summary>Images to test on.</summary>
    public DeviceImages Test { get; }

    /// <summary>Samples of <see cref="Train"/> in use: the first so many.</summary>
    public int TrainCount { get; }

    /// <summary>Samples of <see cref="Test"/> in use: the first so many.</summary>
    public int TestCount { get; }

    /// <summary>Numbers of the test samples.</summary>
    public int[] TestSamples { get; }

    /// <summary>Shape of an image.</summary>
    public FeatureShape Shape => DeviceImages.Shape(Train.Set);

    /// <summary>The split into training and validation samples of a seed.</summary>
    public TrainValidationSplit Split(ulong seed) =>
        TrainValidationSplit.Create(TrainCount, Settings.ValidationSamples, seed);

    /// <inheritdoc/>
    public void Dispose()
    {
        Train.Dispose();
        Test.Dispose();
    }

    private static int Count(string path, int asked, ImageSet set)
    {
        if (asked > set.Count)
            throw new ConfigurationException(
                $"{Setting.Named(path)} is {asked}, but {set.Name} has {set.Count}; choose that many or fewer.");
        return asked == 0 ? set.Count : asked;
    }
}
