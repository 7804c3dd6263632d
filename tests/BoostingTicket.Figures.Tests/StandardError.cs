using System.Runtime.InteropServices;

namespace BoostingTicket.Figures.Tests;

/// <summary>What native code writes to the process's standard error, on Linux: .NET's <see cref="Console"/> does not see
/// it.</summary>
internal static partial class StandardError
{
    private const int Descriptor = 2;

    /// <summary>What is written while an action runs.</summary>
    public static string Of(Action action)
    {
        string path = Path.GetTempFileName();
        int kept = Duplicate(Descriptor);
        try
        {
            using (FileStream file = File.Open(path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite))
            {
                Assert.That(Duplicate(file.SafeFileHandle.DangerousGetHandle().ToInt32(), Descriptor), Is.EqualTo(Descriptor));
                try
                {
                    action();
                }
                finally
                {
                    _ = Duplicate(kept, Descriptor);
                }
            }

            return File.ReadAllText(path);
        }
        finally
        {
            _ = Close(kept);
            File.Delete(path);
        }
    }

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Duplicate(int descriptor);

    [LibraryImport("libc", EntryPoint = "dup2")]
    private static partial int Duplicate(int descriptor, int onto);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
