using NUnit.Framework.Interfaces;
using NUnit.Framework.Internal;

namespace BoostingTicket.Engine.Testing;

/// <summary>A test, or all of a fixture, that takes too long for every run of the tests. It is skipped, with this reason, unless
/// <see cref="Variable"/> is 1, as <c>.ci/run</c> makes it. A shorter relative covers its subject each time.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class)]
public sealed class LongAttribute : NUnitAttribute, IApplyToTest
{
    /// <summary>The variable of the environment that lets long tests run.</summary>
    public const string Variable = "BOOSTING_TICKET_LONG_TESTS";

    /// <summary>The category of long tests.</summary>
    internal const string Category = "Long";

    /// <summary>Why a long test is skipped; null where it runs.</summary>
    internal static string? Reason { get; } = Environment.GetEnvironmentVariable(Variable) == "1" ? null
        : $"takes long; set {Variable}=1 to run it";

    /// <summary>Marks arguments of a fixture with which it takes long.</summary>
    public static TestFixtureData Mark(TestFixtureData data)
    {
        ArgumentNullException.ThrowIfNull(data);
        data.Properties.Add(PropertyNames.Category, Category);
        return Reason is null ? data : data.Ignore(Reason);
    }

    /// <inheritdoc/>
    public void ApplyToTest(Test test)
    {
        ArgumentNullException.ThrowIfNull(test);
        test.Properties.Add(PropertyNames.Category, Category);
        if (Reason is null || test.RunState == RunState.NotRunnable)
            return;
        test.RunState = RunState.Ignored;
        test.Properties.Set(PropertyNames.SkipReason, Reason);
    }
}
