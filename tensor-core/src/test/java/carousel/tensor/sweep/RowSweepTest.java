package carousel.tensor.sweep;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.DType;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Unary;
import java.lang.foreign.Arena;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A part of the sweep over all numbers of F32, by every family of loops: what the documentation says holds. */
class RowSweepTest {
  /** Where exponents, overflow, saturation and the ways to compute a row begin and end. */
  private static final float[] EDGES = {
    0,
    Float.MIN_NORMAL,
    0x1p-30f,
    0x1p-12f,
    0.625f,
    1,
    9,
    40,
    87.3f,
    88.7f,
    103.9f,
    0x1p23f,
    0x1p45f,
    Float.MAX_VALUE,
    Float.POSITIVE_INFINITY,
    Float.NaN
  };

  private final StatedErrors stated = StatedErrors.read();

  @ParameterizedTest
  @MethodSource("carousel.tensor.cpu.Operands#kernels")
  void rowsAreAsExactAsStated(Kernels kernels) {
    try (var memory = Arena.ofConfined()) {
      for (Unary row : Sweep.rows()) {
        var sweep = new Sweep(row, kernels, memory);
        stretches().forEach(sweep::stretch);
        Figures figures = sweep.figures();
        String label = row.label();
        String what = kernels.description() + ": " + figures.line(label);
        assertThat(figures.worst()).as(what).isLessThanOrEqualTo(stated.bound(label, DType.F32));
        assertThat(figures.falls() > 0 && !stated.mayFall(label)).as(what).isFalse();
        assertThat(figures.uneven()).as(what).isZero();
        assertThat(figures.odd()).as(what).isZero();
        assertThat(figures.leavesRange()).as(what).isFalse();
      }
    }
  }

  /** Numbers before and after the edges, of all magnitudes, and of those where functions are not trivial. */
  private static IntStream stretches() {
    var random = new SplittableRandom(3);
    var edges = IntStream.builder();
    for (float edge : EDGES) {
      int number = stretch(edge);
      edges.add(Math.max(0, number - 1)).add(number);
    }
    return IntStream.concat(
        edges.build(),
        IntStream.concat(
            random.ints(6, 0, Sweep.STRETCHES), random.ints(26, stretch(0x1p-10f), stretch(128))));
  }

  private static int stretch(float x) {
    return Float.floatToRawIntBits(x) / Sweep.STRETCH;
  }

  @Test
  void theTableNamesRows() {
    var rows =
        Stream.concat(Stream.of(Unary.values()), Stream.of(Binary.values()))
            .map(op -> op.label())
            .toList();
    assertThat(stated.rows()).isSubsetOf(rows);
  }
}
