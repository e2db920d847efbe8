package carousel.zoo.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PaceTest {
  @Test
  void theFirstStepsOfAProcessAreNotCounted() {
    var pace = new Pace();
    for (var warm : new double[] {60, 20, 5}) {
      pace.add(warm);
      assertThat(pace.perStep()).isEmpty();
    }
    pace.add(0.5);
    assertThat(pace.perStep()).hasValue(0.5);
  }

  @Test
  void itFollowsWhatStepsTakeNowAndNoSingleOne() {
    var pace = new Pace();
    for (int i = 0; i < 100; i++) {
      pace.add(2);
    }
    pace.add(300); // a checkpoint on a slow disk
    assertThat(pace.perStep()).hasValue(2);
    for (int i = 0; i < 31; i++) {
      pace.add(1);
    }
    assertThat(pace.perStep()).hasValue(1);
  }
}
