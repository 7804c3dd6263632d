using BoostingTicket.Cli;

Console.OutputEncoding = System.Text.Encoding.UTF8;
using var interrupts = new Interrupts();
return Application.Run(args, Terminal.OfProcess(), interrupts.Token);
