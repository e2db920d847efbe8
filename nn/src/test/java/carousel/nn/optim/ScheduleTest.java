package carousel.nn.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import carousel.tensor.TensorException;
import carousel.tensor.golden.Golden;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The rates of PyTorch's schedulers, whose settings are in the golden's metadata. */
class ScheduleTest {
  private static final Golden GOLDEN = Golden.load("schedules");
  private static final double BASE = 0.8;

  private static final Map<String, Schedule> CASES =
      Map.of(
          "step", Schedule.step(BASE, 6, 0.5),
          "multiStep", Schedule.multiStep(BASE, 0.1, 10, 3, 9),
          "exponential", Schedule.exponential(BASE, 0.9),
          "cosine", Schedule.cosine(BASE, 0.01, 20),
          "cosine.beyond", Schedule.cosine(BASE, 0, 8),
          "linear", Schedule.linear(BASE, 0.1, 1, 8),
          "linear.down", Schedule.linear(BASE, 1, 0.25, 15),
          "lambda.halvedAfter4", Schedule.decayAfter(BASE, 0.5, 4));

  private static final Map<String, Plateau> PLATEAUS =
      Map.of(
          "plateau",
          Plateau.of(BASE, new Plateau.Settings(0.5, 2, 1e-4, true, false, 0, 0.05)),
          "plateau.cooldown",
          Plateau.of(BASE, new Plateau.Settings(0.1, 1, 1e-4, true, false, 3, 0)),
          "plateau.max.abs",
          Plateau.of(BASE, new Plateau.Settings(0.5, 1, 0.05, false, true, 0, 0)));

  @TestFactory
  Stream<DynamicTest> agreeWithPyTorch() {
    return CASES.entrySet().stream()
        .map(entry ->
            DynamicTest.dynamicTest(
                entry.getKey(),
                () -> {
                  double[] rates =
                      IntStream.range(0, 20).mapToDouble(entry.getValue()::rate).toArray();
                  GOLDEN.expect(entry.getKey(), rates, 1e-12);
                }));
  }

  @TestFactory
  Stream<DynamicTest> plateausAgreeWithPyTorch() {
    return PLATEAUS.entrySet().stream()
        .map(entry ->
            DynamicTest.dynamicTest(
                entry.getKey(),
                () -> {
                  var rates = new double[20];
                  var plateau = entry.getValue();
                  for (int k = 0; k < rates.length; k++) {
                    plateau = plateau.after(GOLDEN.values("metric")[k]);
                    rates[k] = plateau.rate();
                  }
                  GOLDEN.expect(entry.getKey(), rates, 1e-12);
                }));
  }

  @Test
  void leaveNoGoldenOut() {
    var tested = new HashSet<>(CASES.keySet());
    tested.addAll(PLATEAUS.keySet());
    tested.add("metric");
    assertThat(GOLDEN.tensors().keySet()).isEqualTo(tested);
  }

  @Test
  void fitTogether() {
    var schedule = Schedule.constant(1).warmedUp(4).then(6, Schedule.exponential(1, 0.5).until(2));
    assertThat(IntStream.range(0, 10).mapToDouble(schedule::rate))
        .containsExactly(0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0, 0.5, 0.25, 0.25);
    assertThat(Schedule.lambda(2, k -> 1.0 / (k + 1)).rate(3)).isEqualTo(0.5);
    var cosine = Schedule.cosine(1, 0.1, 10).until(10);
    assertThat(cosine.rate(10)).isCloseTo(0.1, within(1e-15));
    assertThat(cosine.rate(99)).isEqualTo(cosine.rate(10));
  }

  /** A log likelihood is negative, a measure may pass 0: what is worse than the best never counts as better. */
  @Test
  void aPlateauLowersTheRateOfNegativeMeasures() {
    for (double best : new double[] {-5, -1e-3, 0, 1e-3, 5}) {
      for (boolean maximize : new boolean[] {false, true}) {
        for (boolean relative : new boolean[] {false, true}) {
          double worse = maximize ? -1 : 1;
          double least = relative ? Math.abs(best) * 0.01 : 0.01;
          Plateau start =
              Plateau.of(1, new Plateau.Settings(0.5, 0, 0.01, relative, maximize, 0, 0))
                  .after(best);
          String what =
              "best " + best + (maximize ? ", greater" : ", smaller") + ", relative " + relative;
          assertThat(start.best()).as(what).isEqualTo(best);
          assertThat(start.after(best).rate()).as("the same again, %s", what).isEqualTo(0.5);
          assertThat(start.after(best + worse).rate()).as("worse, %s", what).isEqualTo(0.5);
          assertThat(start.after(best - worse * least / 2).rate())
              .as("better by half of the threshold, %s", what)
              .isEqualTo(0.5);
          double better = best - worse * (2 * least + 1e-9);
          assertThat(start.after(better).rate()).as("better, %s", what).isEqualTo(1);
          assertThat(start.after(better).best()).as(what).isEqualTo(better);
        }
      }
    }
    // A threshold of all of the best still lets the first measure be better than none.
    var all = Plateau.of(1, new Plateau.Settings(0.5, 0, 1, true, false, 0, 0));
    assertThat(all.after(3).best()).isEqualTo(3);
  }

  @Test
  void aPlateauIsItsComponents() {
    var plateau = Plateau.of(1, 0.1, 1).after(5).after(6);
    assertThat(plateau.waited()).isEqualTo(1);
    assertThat(plateau.best()).isEqualTo(5);
    var same = new Plateau(plateau.settings(), 1, 5, 1, 0);
    assertThat(same.after(7)).isEqualTo(plateau.after(7));
    assertThat(same.after(7).rate()).isEqualTo(0.1);
    assertThat(same.after(Double.NaN).rate()).isEqualTo(0.1);
    assertThat(same.after(4).best()).isEqualTo(4);
  }

  @Test
  void leaveTinyChangesUndone() {
    assertThat(Plateau.of(1e-8, 0.5, 0).after(1).after(1).rate()).isEqualTo(1e-8);
  }

  /** Of all that are made here, each way of putting them together included. */
  @Test
  void timesAreCountedFromZero() {
    var schedules = new ArrayList<>(CASES.values());
    schedules.add(Schedule.constant(1));
    schedules.add(Schedule.lambda(1, k -> 1));
    schedules.add(Schedule.constant(1).warmedUp(3));
    schedules.add(Schedule.constant(1).until(3));
    schedules.add(Schedule.constant(1).then(3, Schedule.constant(2)));
    Schedule own = k -> 1;
    schedules.add(own.warmedUp(3));
    for (var schedule : schedules) {
      assertThat(schedule.rate(0)).isPositive();
      assertThatThrownBy(() -> schedule.rate(-1))
          .isInstanceOf(TensorException.class)
          .hasMessage("schedule: epochs and steps are counted from 0, got -1");
    }
    assertThatThrownBy(() -> own.until(-1)).hasMessageContaining("when it ends");
    assertThatThrownBy(() -> own.then(-2, own)).hasMessageContaining("when the next one starts");
  }

  @Test
  void refuseWhatMakesNoSense() {
    assertThatThrownBy(() -> Schedule.step(1, 0, 0.5))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("the length of a step must be finite and above 0, got 0");
    assertThatThrownBy(() -> Schedule.cosine(1, 0, -1)).hasMessageContaining("cosine");
    assertThatThrownBy(() -> Schedule.linear(1, 0, 1, 0)).hasMessageContaining("line");
    assertThatThrownBy(() -> Schedule.constant(1).warmedUp(0)).hasMessageContaining("warm-up");
    assertThatThrownBy(() -> Plateau.of(1, 1, 0))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("plateau: factor must be in [0, 1), got 1.0");
    assertThatThrownBy(() -> Schedule.step(1, 0, 0.5)).isInstanceOf(TensorException.class);
    assertThat(Set.of(Plateau.of(1, 0.1, 1), Plateau.of(1, 0.2, 1))).hasSize(2);
  }
}
