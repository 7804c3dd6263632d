using BoostingTicket.Engine.Tensors;
using BoostingTicket.Training.Data;
using BoostingTicket.Training.Data.Own;
using BoostingTicket.Training.Testing;

namespace BoostingTicket.Training.Tests.Data;

/// <summary>Data sets of one's own: files that NumPy 1.24.2 saved (tests/golden/data), folders, and what is wrong with
/// others.</summary>
internal sealed class OwnDataSetTests
{
    private TemporaryFolder _folder = null!;

    [SetUp]
    public void CreateFolder()
    {
        _folder = new TemporaryFolder();
        OwnDataSets.Decoder = new OwnData.Decoder();
    }

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [TestCase("bytes", "0,1,2")]
    [TestCase("floats", "red,green,blue")]
    public void What_NumPy_saved_is_read_in_both_orders_and_as_bytes_and_floats(string file, string classes)
    {
        OwnDataSet set = OwnDataSets.Find(Golden(file));
        DataSplit split = set.Load(new DataSetOptions());
        Assert.Multiple(() =>
        {
            Assert.That(set.Shape, Is.EqualTo(new FeatureShape(3, 4, 5)));
            Assert.That(set.Classes, Is.EqualTo(classes.Split(',')));
            Assert.That((set.TrainSamples, set.TestSamples), Is.EqualTo((12, 6)));
            Assert.That(Sorted(split.Train), Is.EqualTo(Enumerable.Range(0, 12).Select(image => Expected(image, 3)).Order()));
            Assert.That(Sorted(split.Test), Is.EqualTo(Enumerable.Range(0, 6).Select(image => Expected(image, 100)).Order()));
            Assert.That(split.Train.Labels, Is.Not.Ordered, "a random order");
            Assert.That(set.Notes.Single(), Does.StartWith("Fewer than 10 training images are of the class"));
        });

        static IEnumerable<string> Sorted(ImageSet set) => Enumerable.Range(0, set.Count).Select(
            index => $"{set.Labels[index]}: {string.Join(' ', set.Sample(index).ToArray())}").Order();

        static string Expected(int image, int start)
        {
            byte[] pixels = new byte[60];
            for (int channel = 0; channel < 3; channel++)
            {
                for (int pixel = 0; pixel < 20; pixel++)
                    pixels[(channel * 20) + pixel] = (byte)((((((image * 20) + pixel) * 3) + channel) * 7) + start);
            }

            return $"{image % 3}: {string.Join(' ', pixels)}";
        }
    }

    [Test]
    public void Without_a_test_part_always_the_same_images_are_taken_for_it()
    {
        OwnDataSet set = OwnDataSets.Find(Golden("parts")), again = new(Golden("parts"));
        DataSplit split = set.Load(new DataSetOptions()), same = again.Load(new DataSetOptions());
        Assert.Multiple(() =>
        {
            Assert.That(set.Shape, Is.EqualTo(new FeatureShape(1, 4, 5)));
            Assert.That((set.TrainSamples, set.TestSamples), Is.EqualTo((10, 2)));
            Assert.That(set.Notes, Has.Some.StartsWith("There is no test part: 2 images"));
            Assert.That(same.Test.ContentHash, Is.EqualTo(split.Test.ContentHash));
            Assert.That(again.Fingerprint, Is.EqualTo(set.Fingerprint));
            Assert.That(set.Load(new DataSetOptions(TrainSamples: 4)).Train.Count, Is.EqualTo(4));
        });
    }

    [Test]
    public void A_fingerprint_is_of_the_content_wherever_it_lies()
    {
        File.Copy(Golden("bytes"), _folder["moved.npz"]);
        string before = OwnDataSets.Find(_folder["moved.npz"]).Fingerprint;
        Assert.That(before, Is.EqualTo(OwnDataSets.Find(Golden("bytes")).Fingerprint));
        File.Copy(Golden("floats"), _folder["moved.npz"], overwrite: true);
        Assert.That(OwnDataSets.Find(_folder["moved.npz"]).Fingerprint, Is.Not.EqualTo(before), "read again where it changed");
    }

    [TestCase("x", "<i8", "2, 2, 2", "labels from 0 to 255|type i8; save them as uint8", 16 * 4)]
    [TestCase("x", "|u1", "2, 2, 2, 4", "alpha channel", 32)]
    [TestCase("x", "|u1", "2, 2, 2, 2", "(2, 2, 2, 2); give images x rows", 16)]
    [TestCase("x", "<f4", "2, 1, 1, 1", "is 2, where floats lie in [0, 1]; divide them by 255", 8)]
    [TestCase("x", ">f4", "2, 1, 1, 1", "is big-endian", 8)]
    [TestCase("x", "|O", "2, 1, 1, 1", "holds objects of Python", 8)]
    [TestCase("x", "<f4", "2, 3, 3, 1", "is cut off", 8)]
    [TestCase("x", "<f8", "999999, 9999, 3", "2 GiB of elements", 8)]
    [TestCase("pictures", "|u1", "2, 2, 2", "it has 'pictures.npy', 'y.npy'); call them x_train", 8)]
    public void What_is_wrong_with_images_is_one_sentence(string name, string type, string shape, string message, int bytes)
    {
        byte[] values = new byte[bytes];
        if (type == "<f4")
            BitConverter.GetBytes(2f).CopyTo(values, 0);
        OwnData.Npz(_folder["w.npz"], (name, OwnData.Npy(type, shape, values)), ("y", OwnData.Labels(0, 1)));
        Refused(_folder["w.npz"], message.Split('|')[^1]);
    }

    [Test]
    public void What_is_wrong_with_labels_is_one_sentence()
    {
        byte[] images = OwnData.Npy("|u1", "2, 2, 2", new byte[8]);
        OwnData.Npz(_folder["few.npz"], ("x", images), ("y", OwnData.Labels(0)));
        OwnData.Npz(_folder["negative.npz"], ("x", images), ("y", OwnData.Labels(0, -1)));
        OwnData.Npz(_folder["large.npz"], ("x", images), ("y", OwnData.Labels(0, 256)));
        OwnData.Npz(_folder["one.npz"], ("x", images), ("y", OwnData.Labels(0, 0)));
        OwnData.Npz(_folder["real.npz"], ("x", images), ("y", OwnData.Npy("<f4", "2,", new byte[8])));
        OwnData.Npz(_folder["none.npz"], ("x", images));
        Assert.Multiple(() =>
        {
            Refused(_folder["few.npz"], "labels of shape (1) for images of shape (2, 2, 2)");
            Refused(_folder["negative.npz"], "label 1 is -1; labels lie from 0 to 255");
            Refused(_folder["large.npz"], "label 1 is 256");
            Refused(_folder["one.npz"], "it has 1 class");
            Refused(_folder["real.npz"], "type f4; save them as whole numbers");
            Refused(_folder["none.npz"], "images 'x' without labels");
            Refused(_folder["nowhere.npz"], "There is no file or folder");
            File.WriteAllText(_folder["text.npz"], "no archive");
            Refused(_folder["text.npz"], "text.npz cannot be used");
        });
    }

    [Test]
    public void A_folder_by_class_has_its_parts_or_one_that_is_split()
    {
        OwnData.Folder(
            _folder["parts"], ("train/dog/1.png", "color 1"), ("train/dog/2.jpg", "grey 2"), ("train/cat/1.PNG", "color 3"),
            ("val/cat/1.png", "color 4"), ("test/dog/1.png", "color 3"), ("train/cat/.hidden.png", "bad"),
            ("train/notes.txt", "bad"), ("train/empty/notes.txt", "bad"));
        OwnDataSet set = OwnDataSets.Find(_folder["parts"]);
        DataSplit split = set.Load(new DataSetOptions());
        Assert.Multiple(() =>
        {
            Assert.That(set.Classes, Is.EqualTo(new[] { "cat", "dog" }));
            Assert.That(set.Shape, Is.EqualTo(new FeatureShape(3, 2, 3)), "grey among colours is grey colours");
            Assert.That((split.Train.Count, split.Test.Count), Is.EqualTo((4, 1)));
            Assert.That(split.Train.Labels.Order(), Is.EqualTo(new byte[] { 0, 0, 1, 1 }));
            int grey = Enumerable.Range(0, 4).Single(index => split.Train.Sample(index)[0] == 2);
            Assert.That(split.Train.Sample(grey).ToArray(), Is.EqualTo(
                new byte[] { 2, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0 }));
            Assert.That(set.Notes, Has.Some.Contains("validation images are training images too")
                .And.Some.Contains("training images too: 1 of 1").And.Some.Contains("No test image is of the class cat"));
        });

        OwnData.Folder(_folder["whole"], [.. Enumerable.Range(0, 12).Select(i => ($"{"ab"[i % 2]}/{i}.png", $"grey {i}"))]);
        OwnDataSet whole = OwnDataSets.Find(_folder["whole"]);
        Assert.That((whole.Shape, whole.TrainSamples, whole.TestSamples), Is.EqualTo((new FeatureShape(1, 2, 3), 10, 2)));
        Assert.That(whole.Conventions.Presets, Is.EqualTo(DataSetConventions.Mnist.Presets));
    }

    [Test]
    public void Images_that_cannot_be_used_are_named()
    {
        OwnData.Folder(
            _folder["bad"], ("a/1.png", "color"), ("a/2.png", "wide"), ("b/1.png", "clear"), ("b/2.png", "bad"));
        OwnData.Folder(_folder["one"], ("a/1.png", "color"));
        OwnData.Folder(_folder["more"], ("train/a/1.png", "color"), ("train/b/1.png", "color"), ("test/c/1.png", "color"));
        Assert.Multiple(() =>
        {
            string a = Path.Combine("bad", "a", "2.png"), b = Path.Combine("bad", "b");
            Refused(_folder["bad"], $"{a} has 2x4 pixels and not 2x3");
            Refused(_folder["bad"], $"{Path.Combine(b, "1.png")} is transparent");
            Refused(_folder["bad"], $"{Path.Combine(b, "2.png")} cannot be read (it is damaged); all images need one size");
            Refused(_folder["one"], "has 1 folders with images");
            Refused(_folder["more"], "class without training images");
            OwnDataSets.Decoder = null;
            OwnData.Folder(_folder["last"], ("a/1.png", "color"), ("b/1.png", "color"));
            Refused(_folder["last"], "no decoder of images");
            OwnDataSets.Decoder = new OwnData.Decoder();
        });
    }

    [TestCase("data/x", true)]
    [TestCase("x.npz", true)]
    [TestCase("cifar-10", false)]
    public void A_path_is_told_from_a_name(string name, bool isPath) => Assert.That(OwnDataSets.IsPath(name), Is.EqualTo(isPath));

    private static void Refused(string path, string message)
    {
        DataException error = Assert.Throws<DataException>(() => new OwnDataSet(path).Load(new DataSetOptions()))!;
        Assert.That(error.Message, Does.Contain(message).And.EndsWith("."));
        Assert.That(error.Message, Does.Not.Contain("\n"));
    }

    private static string Golden(string name) => Path.Combine(AppContext.BaseDirectory, "golden", "data", name + ".npz");
}
