using BoostingTicket.Runs.Stages;

namespace BoostingTicket.Runs.Tests.Stages;

/// <summary>The time left of a whole run.</summary>
internal sealed class RunForecastTests
{
    private static RunForecast Create() => new(
    [
        new ForecastPart("donor", "fgsm", 100), new ForecastPart("donor, test", "test", 50),
        new ForecastPart("dense", "pgd", 400),
        new ForecastPart("dense, test", "test", 50), new ForecastPart("ticket", "pgd", 400),
    ]);

    [Test]
    public void Nothing_is_said_before_anything_is_measured()
    {
        RunForecast forecast = Create();
        Assert.That(forecast.SecondsLeft(), Is.Null);
        forecast.Started("donor", 0);
        forecast.Reached(0.001, 0.1);
        Assert.That(forecast.SecondsLeft(), Is.Null);
    }

    [Test]
    public void All_stages_are_counted_at_the_speed_of_their_kind()
    {
        RunForecast forecast = Create();
        forecast.Started("donor", 0);
        forecast.Reached(0.5, 5);
        // A tenth of a second for a unit of work: 50 here and 900 behind it.
        Assert.That(forecast.SecondsLeft(), Is.EqualTo(95).Within(1e-9));
        forecast.Reached(1, 10);
        forecast.Started("donor, test", 0);
        forecast.Reached(1, 50);
        // A test takes a second for a unit; trainings by pgd are as fast as all that was measured, 60 s for 150 units.
        Assert.That(forecast.SecondsLeft(), Is.EqualTo(50 + (800 * 0.4)).Within(1e-9));
        forecast.Started("dense", 0);
        forecast.Reached(0.25, 50);
        // Half a second for a unit of pgd: 300 units here, 400 behind, and a test.
        Assert.That(forecast.SecondsLeft(), Is.EqualTo(150 + 50 + 200).Within(1e-9));
    }

    [Test]
    public void A_resumed_stage_is_as_fast_as_what_is_done_of_it_here_and_stages_left_out_are_not_waited_for()
    {
        RunForecast forecast = Create();
        forecast.Started("dense", 0.5);
        forecast.Reached(0.75, 10);
        // 100 units in 10 s; 100 units, a test of 50 and 400 units are left.
        Assert.That(forecast.SecondsLeft(), Is.EqualTo(55).Within(1e-9));
        forecast.Reached(1, 20);
        forecast.Started("ticket", 0);
        forecast.Reached(1, 40);
        Assert.That(forecast.SecondsLeft(), Is.Zero);
    }
}
