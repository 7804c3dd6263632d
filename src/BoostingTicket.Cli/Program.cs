using BoostingTicket.Cli;
using BoostingTicket.Cli.Signals;
using BoostingTicket.Cli.Streams;

if (OperatingSystem.IsWindows())
    Console.OutputEncoding = System.Text.Encoding.UTF8;
var terminal = Terminal.OfProcess();
var saving = new SavingWork();
using var interrupts = new Interrupts(saving, terminal, () => Application.Abandon(args, terminal));
return RankedProgram.Run(
    args, terminal, interrupts, saving, team => Application.Run(args, terminal, interrupts.Token, saving, team));
