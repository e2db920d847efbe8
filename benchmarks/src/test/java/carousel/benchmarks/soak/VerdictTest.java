package carousel.benchmarks.soak;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class VerdictTest {
  private static final int FLAT = 1000;

  private static List<String> of(IntFunction<Sample> sample) {
    return Verdict.of(IntStream.range(0, 8).mapToObj(sample).toList());
  }

  @Test
  void flatIsFlat() {
    assertThat(of(i -> new Sample(i, i, FLAT, i, 0, FLAT, FLAT, FLAT, i, 0, FLAT))).isEmpty();
  }

  @Test
  void aByteIsALeak() {
    assertThat(of(i -> new Sample(i, 10 * i, i < 5 ? 64 : 128, 0, 0, FLAT, FLAT, FLAT, 0, 0, FLAT)))
        .containsExactly(
            "tensor memory in use between trials was 64 bytes, and 128 after 50 trials");
  }

  @Test
  void aScopeIsALeak() {
    assertThat(of(i -> new Sample(i, i, FLAT, 0, 0, FLAT, FLAT, FLAT, 0, i / 4, FLAT)))
        .containsExactly("1 scopes were never closed");
  }

  @Test
  void growthIsMeasuredByQuarters() {
    // 1100 is 10 %, which is allowed; the first two samples are those of a start.
    assertThat(of(i -> new Sample(i, i, 0, 0, 0, i < 2 ? 10 : 1000 + 50 * (i / 4), 1, 1, 0, 0, 1)))
        .isEmpty();
    assertThat(of(i -> new Sample(i, i, 0, 0, 0, 1000 + 60 * i, 1, 1, 0, 0, 1)))
        .containsExactly(
            "resident memory grew by 20 % from quarter 2 to quarter 4: 1,180, then 1,420");
    assertThat(of(i -> new Sample(i, i, 0, 0, 0, 1, 1000 + 60 * i, 1, 0, 0, 1)))
        .containsExactly("heap in use grew by 20 % from quarter 2 to quarter 4: 1,180, then 1,420");
    assertThat(of(i -> new Sample(i, i, 0, 0, 0, 1, 1, 1000 + 60 * i, 0, 0, 1)))
        .containsExactly("metaspace grew by 20 % from quarter 2 to quarter 4: 1,180, then 1,420");
  }

  @Test
  void slowingDownIsMeasuredFromTheFirstQuarter() {
    assertThat(of(i -> new Sample(i, i, 0, 0, 0, 1, 1, 1, 0, 0, i < 2 ? 100 : 119))).isEmpty();
    assertThat(of(i -> new Sample(i, i, 0, 0, 0, 1, 1, 1, 0, 0, i < 2 ? 100 : 125)))
        .containsExactly(
            "the reference step grew by 25 % from quarter 1 to quarter 4: 100, then 125");
  }

  @Test
  void fewSamplesAreNoVerdict() {
    assertThatThrownBy(() -> Verdict.of(List.of()))
        .hasMessage("a verdict wants at least 4 samples, got 0");
  }
}
