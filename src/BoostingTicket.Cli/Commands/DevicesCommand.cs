using System.CommandLine;
using BoostingTicket.Cli.Hosting;
using BoostingTicket.Engine.Devices;
using BoostingTicket.Runs.Reporting;

namespace BoostingTicket.Cli.Commands;

/// <summary><c>devices</c>: what can be computed on, and why not on the rest.</summary>
internal static class DevicesCommand
{
    /// <summary>The command.</summary>
    public static Command Create(ProgramContext context) =>
        new CommandLineCommand("devices", "Lists the devices to compute on, and why others cannot be used.", context)
        {
            Examples =
            [
                ("devices", "the processor and GPUs of this machine"),
                ("devices --device cuda", "exit code 4 and the reason unless CUDA can be used"),
                ("devices --device cuda:1", "the same for the second GPU"),
                ("devices --json", "the same for a script"),
            ],
        }.Executes(invocation =>
        {
            DeviceSelection selection = DeviceCatalog.Select(invocation.Device);
            IReadOnlyList<DeviceStatus> devices = DeviceCatalog.Probe(invocation.Threads);
            IReadOnlyList<string> searched = DeviceCatalog.SearchedFolders;
            return invocation.Answer(new { devices, selected = selection.Name, selection.Reason, searched }, writer =>
            {
                var table = new TextTable("device", "usable", "what");
                foreach (DeviceStatus device in devices)
                    table.Add(device.Name, device.Usable ? "yes" : "no", device.Description);
                table.Write(writer, invocation.Terminal.Width);
                writer.WriteLine(selection.Reason);
                writer.WriteLine();
                writer.WriteLine("CUDA's libraries are looked for in this order:");
                foreach (string place in searched)
                    writer.WriteLine($"  {place}");
            });
        });
}
