using BoostingTicket.Fuzz.Mutation;
using BoostingTicket.Runs.Reporting.TensorBoard;

namespace BoostingTicket.Fuzz.Targets;

/// <summary>TensorBoard's event files, which a resumed run reads to see what they hold. The first byte says whether the rest is a
/// file or, since a mutated file rarely has the right checksums, the content of one record.</summary>
internal sealed class EventsTarget : FuzzTarget
{
    public override string Name => "events";

    public override InputForm Form => InputForm.Binary;

    public override int Weight => 300;

    public override bool RefusesNone => true;

    public override void Execute(byte[] input)
    {
        if (input.Length == 0)
            return;
        byte[] rest = input[1..];
        byte[] file = input[0] % 2 == 0 ? rest : RecordFormat.Frame(rest);
        foreach (EventMessage message in EventFile.Read(file))
        {
            // What is read can be written, and says the same then.
            var plain = message with { Values = [.. message.Values.Where(value => value.Number is not null)] };
            EventMessage again = EventMessage.Read(plain.ToBytes())
                ?? throw new InvalidOperationException("an event that was read cannot be read again");
            if (again.Step != plain.Step || again.IsStart != plain.IsStart || again.Values.Count != plain.Values.Count)
                throw new InvalidOperationException("an event changes by being written");
        }
    }

    protected override IEnumerable<byte[]> Seeds()
    {
        EventMessage[] events =
        [
            new(1.5, 0) { IsVersion = true }, new(2, 7) { IsStart = true },
            new(3, 8)
            {
                Values = [new EventValue("loss/training", 0.5), new EventValue("a", null, new EventImage(2, 3, 1, [1, 2]))],
            },
        ];
        yield return [0, .. events.SelectMany(message => RecordFormat.Frame(message.ToBytes()))];
        foreach (EventMessage message in events)
            yield return [1, .. message.ToBytes()];
        yield return [0, .. RecordFormat.Frame([])];
        yield return [1, 0x0f];
        yield return [1, 0x2a, 0xff, 0xff, 0xff, 0xff, 0x07];
    }
}
