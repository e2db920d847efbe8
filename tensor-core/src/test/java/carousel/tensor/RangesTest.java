package carousel.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.jvm.FreshJvm;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Ranges of numbers and of positions that are too long, or nearly. */
class RangesTest {
  private final TensorScope scope = TensorScope.open();

  @AfterEach
  void close() {
    scope.close();
  }

  /** A range that never ends, by a step of 0 from either side or one that is no number. */
  @Test
  void aRangeHasAnEnd() {
    for (double[] range :
        new double[][] {{5, 0, 0}, {0, 5, 0}, {0, 0, 0}, {5, 0, -0.0}, {0, 5, Double.NaN}}) {
      assertThatThrownBy(() -> Tensor.arange(DType.F64, range[0], range[1], range[2]))
          .isInstanceOf(TensorException.class)
          .hasMessageStartingWith("arange: from ")
          .hasMessageEndingWith(" has no end in sight");
    }
  }

  /** What is too much for one axis, or one array of Java, is refused by its name. */
  @Test
  void whatCannotBeCountedIsRefused() {
    assertThatThrownBy(() -> Tensor.of(Integer.MAX_VALUE).binCount(0))
        .isInstanceOf(TensorException.class)
        .hasMessageStartingWith("binCount: up to 2147483647 there are more bins");
    assertThatThrownBy(() -> Tensor.zeros(100_000).unfold(0, 50_000, 1))
        .isInstanceOf(TensorException.class)
        .hasMessageStartingWith("unfold: 50001 windows of 50000 are more positions");
  }

  /** The same tensor is given out again, so that a smaller result would be spread over it. */
  @Test
  void aReplayGivesOneShape() {
    int[] size = {3};
    try (var replay = Replay.of(() -> Tensor.ones(size[0]))) {
      assertThat(replay.run().shape()).isEqualTo(Shape.of(3));
      size[0] = 1;
      assertThatThrownBy(replay::run)
          .isInstanceOf(TensorException.class)
          .hasMessageStartingWith("replay: the code returned F32 [1] after F32 [3]");
    }
  }

  /** A leak may have opened thousands. */
  @Test
  void ofManyScopesTheEndsAreShown() {
    List<TensorScope> open = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      open.add(TensorScope.open());
    }
    assertThatThrownBy(() -> Tensor.zeros(DType.F64, 2_000_000_000, 60_000))
        .isInstanceOf(OutOfMemoryException.class)
        .hasMessageContaining("981 scopes between")
        .satisfies(e -> assertThat(String.valueOf(e.getMessage()).lines().count()).isLessThan(60));
    open.reversed().forEach(TensorScope::close);
  }

  /** Long ranges, in a heap that could not hold their numbers: at the ends of parts and of the whole. */
  public static final class LongRanges {
    private LongRanges() {}

    public static void main(String... args) {
      try (var scope = TensorScope.open()) {
        int n = 20_000_001;
        for (Tensor x :
            List.of(
                Tensor.arange(n),
                Tensor.arange(DType.F64, 0, n, 1),
                Tensor.linspace(DType.F64, 0, n - 1, n))) {
          for (int i : new int[] {0, 65_535, 65_536, n / 2, n - 1}) {
            if (x.get(i) != i) {
              throw new IllegalStateException(x.get(i) + " at " + i);
            }
          }
        }
        System.out.println("whole");
      }
    }
  }

  @Test
  void longRangesNeedNoHeap() {
    var outcome = FreshJvm.run(LongRanges.class, "-Xmx64m");
    assertThat(outcome.output()).contains("whole");
  }
}
