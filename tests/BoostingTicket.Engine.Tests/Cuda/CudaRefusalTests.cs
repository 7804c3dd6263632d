using BoostingTicket.Engine.Backends;
using BoostingTicket.Engine.Cuda;
using BoostingTicket.Engine.Cuda.Bindings;
using BoostingTicket.Engine.Tensors;
using BoostingTicket.SoftwareCuda;

namespace BoostingTicket.Engine.Tests.Cuda;

/// <summary>What a library or the driver refuses is done in another way, with the same results.</summary>
internal sealed class CudaRefusalTests
{
    [TestCase("post-activation")]
    [TestCase("pre-activation")]
    [TestCase("fan-out")]
    public void What_cudnn_refuses_is_done_in_another_way(string name)
    {
        RefusingCudnn? cudnn = null;
        using CudaBackend backend = SoftwareMachine.Open(
            new CudaOptions(Precision: Precision.Float32), replaceCudnn: inner => cudnn = new RefusingCudnn(inner));
        NetworkAgreement.Require(backend, name);
        Assert.That(cudnn!.Algorithms, Is.GreaterThan(0));
        if (name != "fan-out")
            Assert.That((cudnn.Epilogues, cudnn.Sums), Is.Not.EqualTo((0, 0)));
        Assert.That(backend.Context.RecordingFailure, Is.Null, "what was refused is known before recording");
        int asked = cudnn.Algorithms + cudnn.Epilogues + cudnn.Sums;
        NetworkAgreement.Require(backend, name);
        Assert.That(cudnn.Algorithms + cudnn.Epilogues + cudnn.Sums, Is.EqualTo(asked), "nothing is asked for twice");
    }

    [Test]
    public void Pass_that_no_algorithm_does_says_so_with_the_librarys_words()
    {
        using CudaBackend backend = SoftwareMachine.Open(
            new CudaOptions(Precision: Precision.Float32, Deterministic: true), replaceCudnn: inner => new RefusingCudnn(inner));
        // Of the deterministic ones, algorithm 0 is left for the forward pass.
        var shape = new ConvolutionShape(new FeatureShape(4, 6, 6), 4, 3, 3, 1, 1);
        ConvolutionPlan plan = backend.Algorithms.Find(ConvolutionDirection.Forward, shape, 1);
        Assert.That(plan.Algorithm, Is.Zero);
        var place = new DevicePointer(256);
        Assert.That(
            () => backend.Algorithms.Run(plan, place, place, place),
            Throws.TypeOf<DeviceException>().With.Message.StartsWith(
                "cuDNN 9.10.2 has no algorithm that always gives the same bits for the forward pass of 4x6x6 by 4 filters of "
                + "3x3, stride 1, "
                + "padding 1, batch 1 in Float32; try another number format or a newer cuDNN.").And.Message.Contains(
                    "the output overlaps"));
    }

    [Test]
    public void What_cannot_be_recorded_is_called_every_time()
    {
        using var device = new SoftwareCudaDevice(new SoftwareCudaOptions { RefusesRecording = true });
        using CudaBackend backend = SoftwareMachine.Open(
            new CudaOptions(Precision: Precision.Float32, Deterministic: true), device);
        NetworkAgreement.Require(backend, "plain");
        Assert.That(backend.Context.RecordingFailure?.Status, Is.EqualTo(901));
        Assert.That(backend.Context.Recordings, Is.Empty);
    }

    [Test]
    public void Recording_can_be_turned_off()
    {
        using CudaBackend backend = SoftwareMachine.Open(
            new CudaOptions(Precision: Precision.Float32, Deterministic: true, Records: false));
        NetworkAgreement.Require(backend, "plain");
        Assert.That(backend.Context.Recordings, Is.Empty);
        Assert.That(backend.Context.RecordingFailure, Is.Null);
    }

    [Test]
    public void Mistake_in_recorded_work_is_told_and_ends_the_capture()
    {
        using CudaBackend backend = SoftwareMachine.Open(new CudaOptions(Precision: Precision.Float32));
        using FloatBuffer values = backend.CreateFloats(4);
        using RepeatedWork work = backend.Repeat(() =>
        {
            backend.Fill(values.All, 1);
            if (backend.Context.IsRecording)
                backend.Synchronize();
        });
        work.Run();
        Assert.That(
            work.Run, Throws.InvalidOperationException.With.Message.Contains("cannot wait for the device while it records"));
        Assert.That(backend.Synchronize, Throws.Nothing);
        Assert.That(backend.Sum(values.All), Is.EqualTo(4));
    }

    [Test]
    public void Every_thread_finds_the_context_current_also_one_with_an_earlier_ones_number()
    {
        using CudaBackend backend = SoftwareMachine.Open(new CudaOptions(Precision: Precision.Float32));
        using FloatBuffer values = backend.CreateFloats(3);
        backend.Fill(values.All, 2);
        var sums = new List<double>();
        for (int i = 0; i < 4; i++)
        {
            var thread = new Thread(() => sums.Add(backend.Sum(values.All)));
            thread.Start();
            thread.Join();
        }
        Assert.That(sums, Is.EqualTo(new double[] { 6, 6, 6, 6 }));
        using CudaBackend other = SoftwareMachine.Open(new CudaOptions(Precision: Precision.Float32));
        using FloatBuffer others = other.CreateFloats(3);
        Assert.That((backend.Sum(values.All), other.Sum(others.All), backend.Sum(values.All)), Is.EqualTo((6.0, 0.0, 6.0)));
    }
}
