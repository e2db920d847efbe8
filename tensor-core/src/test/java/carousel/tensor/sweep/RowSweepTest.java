package carousel.tensor.sweep;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.DType;
import carousel.tensor.contract.Combinations;
import carousel.tensor.cpu.ScalarKernels;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.cpu.vector.VectorKernels;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Unary;
import java.lang.foreign.Arena;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * A part of the sweep over all numbers of F32: what the documentation says holds. Each row by the loops without
 * vectors and by vectors of one width, the next row of another; {@code benchmarks/sweep-rows} takes any.
 */
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

  private static final Kernels SCALARS = new ScalarKernels();

  private static final List<Kernels> VECTORS =
      List.of(new VectorKernels(128), new VectorKernels(256), new VectorKernels(512));

  private final StatedErrors stated = StatedErrors.read();

  @TestFactory
  Stream<DynamicTest> rowsAreAsExactAsStated() {
    List<Unary> rows = Sweep.rows();
    return IntStream.range(0, rows.size())
        .mapToObj(i ->
            DynamicTest.dynamicTest(rows.get(i).label(), () -> isAsExactAsStated(i, rows.get(i))));
  }

  private void isAsExactAsStated(int number, Unary row) {
    try (var memory = Arena.ofConfined()) {
      Map<Kernels, Sweep> sweeps = new LinkedHashMap<>();
      sweeps.put(SCALARS, new Sweep(row, SCALARS, memory));
      for (int k = 0; k < VECTORS.size(); k++) {
        if (Combinations.isTried(VECTORS.size(), number, k)) {
          sweeps.put(VECTORS.get(k), new Sweep(row, VECTORS.get(k), memory));
        }
      }
      stretches()
          .mapToObj(stretch -> Sweep.Exact.of(row, stretch))
          .forEach(exact -> sweeps.values().forEach(sweep -> sweep.stretch(exact)));
      sweeps.forEach((kernels, sweep) -> {
        Figures figures = sweep.figures();
        String label = row.label();
        String what = kernels.description() + ": " + figures.line(label);
        assertThat(figures.worst()).as(what).isLessThanOrEqualTo(stated.bound(label, DType.F32));
        assertThat(figures.falls() > 0 && !stated.mayFall(label)).as(what).isFalse();
        assertThat(figures.uneven()).as(what).isZero();
        assertThat(figures.odd()).as(what).isZero();
        assertThat(figures.leavesRange()).as(what).isFalse();
      });
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
