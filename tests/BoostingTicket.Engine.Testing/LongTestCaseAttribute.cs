namespace BoostingTicket.Engine.Testing;

/// <summary>A case that takes long, beside others (<see cref="TestCaseAttribute"/>) that always run; see
/// <see cref="LongAttribute"/>.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class LongTestCaseAttribute : TestCaseAttribute
{
    /// <summary>Creates it.</summary>
    /// <param name="arguments">Arguments of the test.</param>
    public LongTestCaseAttribute(params object?[]? arguments)
        : base(arguments)
    {
        Category = LongAttribute.Category;
        if (LongAttribute.Reason is { } reason)
            Ignore = reason;
    }
}
