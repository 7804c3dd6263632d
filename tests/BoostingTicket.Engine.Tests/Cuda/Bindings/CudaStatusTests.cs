using BoostingTicket.Engine.Cuda.Bindings;

namespace BoostingTicket.Engine.Tests.Cuda.Bindings;

/// <summary>What is said of statuses.</summary>
internal sealed class CudaStatusTests
{
    [Test]
    public void Message_has_call_name_number_meaning_and_detail()
    {
        CudaException exception = CudaStatus.Exception(
            CudaLibrary.Driver, 218, "_cuda.cuModuleLoadDataEx(&module)", "CUDA_ERROR_INVALID_PTX", " line 3\n");
        Assert.That(exception.Message, Is.EqualTo(
            "The CUDA driver answered CUDA_ERROR_INVALID_PTX (218) to cuModuleLoadDataEx(&module): the kernel's code is not "
            + "valid; it says: line 3"));
        Assert.That((exception.Library, exception.Status), Is.EqualTo((CudaLibrary.Driver, 218)));
    }

    [TestCase("_f.call(a.b(c), d)", "call(a.b(c), d)")]
    [TestCase("Api.cuInit(0)", "cuInit(0)")]
    [TestCase("A.B.cuInit(0)", "cuInit(0)")]
    [TestCase("kernel", "kernel")]
    public void Call_is_written_without_its_receiver(string expression, string expected) =>
        Assert.That(CudaStatus.Exception(CudaLibrary.Cudnn, 1234, expression, "X").Message, Is.EqualTo(
            $"cuDNN answered X (1234) to {expected}"));

    [Test]
    public void Name_is_known_where_the_library_does_not_give_it() => Assert.That(
        CudaStatus.Exception(CudaLibrary.Cublas, 15, "f()", null).Message,
        Does.StartWith("cuBLAS answered CUBLAS_STATUS_NOT_SUPPORTED (15) to f()"));

    [Test]
    public void Unknown_status_is_shown_by_its_number() => Assert.That(
        CudaStatus.Exception(CudaLibrary.Cublas, 77, "f()", null).Message,
        Is.EqualTo("cuBLAS answered an unknown status (77) to f()"));

    // cuDNN 8 counts from 1; cuDNN 9 has classes of a thousand.
    [TestCase(3, "a descriptor, size or pointer is not valid")]
    [TestCase(9, "it has no algorithm for this shape and these types")]
    [TestCase(2002, "a descriptor, size or pointer is not valid")]
    [TestCase(2008, "the shapes do not fit")]
    [TestCase(3001, "it has no algorithm for this shape and these types")]
    [TestCase(3007, "the GPU is too old or too new for it")]
    [TestCase(4000, "an internal error")]
    [TestCase(4004, "not enough memory on the GPU")]
    [TestCase(5003, "a kernel failed, most often one before it")]
    public void Cudnns_statuses_mean_the_same_in_both_versions(int status, string meaning) =>
        Assert.That(CudaStatus.Meaning(CudaLibrary.Cudnn, status), Is.EqualTo(meaning));

    [TestCase(CudaLibrary.Driver, 2)]
    [TestCase(CudaLibrary.Cublas, 3)]
    [TestCase(CudaLibrary.Cudnn, 2)]
    [TestCase(CudaLibrary.Cudnn, 4004)]
    public void Lack_of_memory_is_recognised(CudaLibrary library, int status)
    {
        CudaException exception = CudaStatus.Exception(library, status, "f()", null);
        Assert.That(exception.IsOutOfMemory, Is.True);
        Assert.That(exception.IsNotSupported, Is.False);
        Assert.That(exception.Message, Does.Contain("not enough memory"));
    }

    [TestCase(CudaLibrary.Driver, 801)]
    [TestCase(CudaLibrary.Cublas, 15)]
    [TestCase(CudaLibrary.Cudnn, 9)]
    [TestCase(CudaLibrary.Cudnn, 3000)]
    [TestCase(CudaLibrary.Cudnn, 3013)]
    public void Lack_of_an_algorithm_is_recognised(CudaLibrary library, int status)
    {
        CudaException exception = CudaStatus.Exception(library, status, "f()", null);
        Assert.That(exception.IsNotSupported, Is.True);
        Assert.That(exception.IsOutOfMemory, Is.False);
    }
}
