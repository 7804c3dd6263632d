using System.Runtime.InteropServices;

namespace BoostingTicket.TorchSharpSupport;

/// <summary>The environment that native libraries see: .NET's own calls change a copy. Linux alone.</summary>
internal static class NativeEnvironment
{
    /// <summary>Sets a variable. Call it before the library that reads it is loaded.</summary>
    /// <exception cref="InvalidOperationException">The environment cannot be changed.</exception>
    public static void Set(string name, string value)
    {
        if (SetVariable(name, value, 1) != 0)
            throw new InvalidOperationException($"{name}={value} cannot be set; set it before the start.");
    }

    [DllImport("libc", EntryPoint = "setenv")]
    private static extern int SetVariable(
        [MarshalAs(UnmanagedType.LPUTF8Str)] string name, [MarshalAs(UnmanagedType.LPUTF8Str)] string value, int overwrite);
}
