using Google.Protobuf;

namespace BoostingTicket.Runs.Reporting.TensorBoard;

/// <summary>A value that an event shows: a number, or an image as PNG.</summary>
/// <param name="Tag">What it is; the part before a slash groups tags.</param>
/// <param name="Number">The number; null for an image.</param>
/// <param name="Image">The image; null for a number.</param>
internal sealed record EventValue(string Tag, double? Number, EventImage? Image = null);

/// <summary>An image.</summary>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
/// <param name="Channels">1 for grey, 3 for red, green and blue.</param>
/// <param name="Png">The file.</param>
internal sealed record EventImage(int Height, int Width, int Channels, byte[] Png);

/// <summary>An event of TensorBoard: the messages <c>Event</c> of <c>tensorflow/core/util/event.proto</c> and <c>Summary</c> of
/// <c>tensorflow/core/framework/summary.proto</c>, as far as they are used here.</summary>
/// <param name="Time">Seconds since 1970.</param>
/// <param name="Step">What it belongs to: the epoch.</param>
internal sealed record EventMessage(double Time, long Step)
{
    private const string Version = "brain.Event:2";
    private const int SessionStart = 1;

    // Numbers of the fields.
    private const int WallTime = 1, StepField = 2, FileVersion = 3, SummaryField = 5, SessionLog = 7;
    private const int SummaryValue = 1, Tag = 1, SimpleValue = 2, ImageField = 4;
    private const int ImageHeight = 1, ImageWidth = 2, ImageColors = 3, ImageBytes = 4;
    private const int SessionStatus = 1;

    /// <summary>What it shows.</summary>
    public IReadOnlyList<EventValue> Values { get; init; } = [];

    /// <summary>Whether it begins a file and names the format.</summary>
    public bool IsVersion { get; init; }

    /// <summary>Whether work goes on here: events from this step on in earlier files do not count.</summary>
    public bool IsStart { get; init; }

    /// <summary>The message as bytes.</summary>
    public byte[] ToBytes() => Message(output =>
    {
        output.WriteTag(WallTime, WireFormat.WireType.Fixed64);
        output.WriteDouble(Time);
        output.WriteTag(StepField, WireFormat.WireType.Varint);
        output.WriteInt64(Step);
        if (IsVersion)
        {
            output.WriteTag(FileVersion, WireFormat.WireType.LengthDelimited);
            output.WriteString(Version);
        }
        if (Values.Count > 0)
            Nest(output, SummaryField, Summary());
        if (IsStart)
        {
            Nest(output, SessionLog, Message(session =>
            {
                session.WriteTag(SessionStatus, WireFormat.WireType.Varint);
                session.WriteEnum(SessionStart);
            }));
        }
    });

    /// <summary>Reads a message; fields that are not used here are passed over, and so are images.</summary>
    /// <returns>Null where it is no such message.</returns>
    public static EventMessage? Read(ReadOnlySpan<byte> bytes)
    {
        try
        {
            using var input = new CodedInputStream(bytes.ToArray());
            double time = 0;
            long step = 0;
            bool version = false, start = false;
            var values = new List<EventValue>();
            while (input.ReadTag() is var tag && tag != 0)
            {
                switch (WireFormat.GetTagFieldNumber(tag), WireFormat.GetTagWireType(tag))
                {
                    case (WallTime, WireFormat.WireType.Fixed64):
                        time = input.ReadDouble();
                        break;
                    case (StepField, WireFormat.WireType.Varint):
                        step = input.ReadInt64();
                        break;
                    case (FileVersion, WireFormat.WireType.LengthDelimited):
                        version = input.ReadString().Length > 0;
                        break;
                    case (SummaryField, WireFormat.WireType.LengthDelimited):
                        ReadSummary(input.ReadBytes(), values);
                        break;
                    case (SessionLog, WireFormat.WireType.LengthDelimited):
                        start |= ReadStatus(input.ReadBytes()) == SessionStart;
                        break;
                    default:
                        input.SkipLastField();
                        break;
                }
            }
            return new EventMessage(time, step) { Values = values, IsVersion = version, IsStart = start };
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    private byte[] Summary() => Message(output =>
    {
        foreach (EventValue value in Values)
        {
            Nest(output, SummaryValue, Message(one =>
            {
                one.WriteTag(Tag, WireFormat.WireType.LengthDelimited);
                one.WriteString(value.Tag);
                if (value.Number is { } number)
                {
                    one.WriteTag(SimpleValue, WireFormat.WireType.Fixed32);
                    one.WriteFloat((float)number);
                }
                if (value.Image is { } image)
                    Nest(one, ImageField, Image(image));
            }));
        }
    });

    private static byte[] Image(EventImage image) => Message(output =>
    {
        foreach ((int field, int value) in ((int, int)[])
            [(ImageHeight, image.Height), (ImageWidth, image.Width), (ImageColors, image.Channels)])
        {
            output.WriteTag(field, WireFormat.WireType.Varint);
            output.WriteInt32(value);
        }
        output.WriteTag(ImageBytes, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(image.Png));
    });

    private static void ReadSummary(ByteString bytes, List<EventValue> values)
    {
        using CodedInputStream input = bytes.CreateCodedInput();
        while (input.ReadTag() is var tag && tag != 0)
        {
            if (WireFormat.GetTagFieldNumber(tag) == SummaryValue
                && WireFormat.GetTagWireType(tag) == WireFormat.WireType.LengthDelimited)
                values.Add(ReadValue(input.ReadBytes()));
            else
                input.SkipLastField();
        }
    }

    private static EventValue ReadValue(ByteString bytes)
    {
        using CodedInputStream input = bytes.CreateCodedInput();
        string name = "";
        double? number = null;
        while (input.ReadTag() is var tag && tag != 0)
        {
            switch (WireFormat.GetTagFieldNumber(tag), WireFormat.GetTagWireType(tag))
            {
                case (Tag, WireFormat.WireType.LengthDelimited):
                    name = input.ReadString();
                    break;
                case (SimpleValue, WireFormat.WireType.Fixed32):
                    number = input.ReadFloat();
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }
        return new EventValue(name, number);
    }

    private static int ReadStatus(ByteString bytes)
    {
        using CodedInputStream input = bytes.CreateCodedInput();
        int status = 0;
        while (input.ReadTag() is var tag && tag != 0)
        {
            if (WireFormat.GetTagFieldNumber(tag) == SessionStatus
                && WireFormat.GetTagWireType(tag) == WireFormat.WireType.Varint)
                status = input.ReadEnum();
            else
                input.SkipLastField();
        }
        return status;
    }

    private static void Nest(CodedOutputStream output, int field, byte[] message)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(message));
    }

    private static byte[] Message(Action<CodedOutputStream> write)
    {
        using var bytes = new MemoryStream();
        using (var output = new CodedOutputStream(bytes, leaveOpen: true))
            write(output);
        return bytes.ToArray();
    }
}
