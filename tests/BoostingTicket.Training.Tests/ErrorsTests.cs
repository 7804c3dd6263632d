namespace BoostingTicket.Training.Tests;

internal class ErrorsTests
{
    [Test]
    public void Every_error_carries_its_documented_exit_code()
    {
        (BoostingTicketException Error, int Code)[] expected =
        [
            (new ConfigurationException("m"), 2), (new DataException("m"), 3), (new DivergedException("m"), 5),
            (new DamagedFileException("m"), 6),
            (new NotEnoughMemoryException("m"), 4),
        ];
        foreach ((BoostingTicketException error, int code) in expected)
            Assert.That(error.ExitCode, Is.EqualTo(code), error.GetType().Name);
        IEnumerable<Type> all = typeof(BoostingTicketException).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(
            BoostingTicketException)));
        Assert.That(
            all, Is.EquivalentTo(expected.Select(pair => pair.Error.GetType())), "an error type without a documented code");
    }
}
