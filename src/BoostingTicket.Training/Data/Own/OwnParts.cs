using BoostingTicket.Engine.Tensors;

namespace BoostingTicket.Training.Data.Own;

/// <summary>The parts of one's own data as they were found, and how they become training and test images.</summary>
/// <param name="Train">Images to train on.</param>
/// <param name="Validation">Images to validate on; null without any.</param>
/// <param name="Test">Images to test on; null without any.</param>
internal sealed record OwnParts(ImageSet Train, ImageSet? Validation, ImageSet? Test)
{
    // Without a test part, one image in six is kept for tests: the share of MNIST and CIFAR-10.
    private const int TestShare = 6;

    // Numbers of the streams of random numbers; 0 splits training and validation.
    private const uint TrainStream = 1, TestStream = 2, ShareStream = 3;

    /// <summary>What was done besides reading; a sentence each.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>Training and test images, each in a random order that is always the same: whoever takes the first of them takes
    /// some of every class.</summary>
    public DataSplit Split()
    {
        (ImageSet train, ImageSet? test) = (Train, Test ?? Validation);
        if (Test is not null && Validation is not null)
        {
            train = Join(Train, Validation);
            Notes.Add($"The {Validation.Count:N0} validation images are training images too; every run sets its own aside.");
        }
        else if (Test is null && Validation is not null)
        {
            Notes.Add("The validation images are the test images, since there are no others.");
        }

        if (test is null)
        {
            int[] order = Order(train.Count, ShareStream);
            int count = Math.Max(1, train.Count / TestShare);
            int[] kept = order[count..], taken = order[..count];
            Array.Sort(kept);
            Array.Sort(taken);
            (train, test) = (train.Subset(kept), train.Subset(taken));
            Notes.Add($"There is no test part: {test.Count:N0} images, always the same, were taken from the training images.");
        }

        return new DataSplit(
            train.Subset(Order(train.Count, TrainStream)), test.Subset(Order(test.Count, TestStream)));
    }

    private static int[] Order(int count, uint stream)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        new RandomSequence(Philox.Key(0, RandomStream.Split), stream, 0).Shuffle<int>(order);
        return order;
    }

    private static ImageSet Join(ImageSet a, ImageSet b) => new(
        a.Name, a.Channels, a.Height, a.Width, a.Classes, [.. a.Pixels, .. b.Pixels], [.. a.Labels, .. b.Labels]);
}
