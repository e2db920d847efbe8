package carousel.nn.mutants;

import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import carousel.nn.CrossEntropy;
import carousel.nn.Dropout;
import carousel.nn.FusedContract;
import carousel.nn.Init;
import carousel.nn.Linear;
import carousel.nn.Training;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Cells;
import carousel.nn.recurrent.OddCell;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.State;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Scope;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.CpuBackend;
import carousel.tensor.cpu.HostMemory;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.cpu.vector.VectorKernels;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Breaks the fused kernels of the CPU, one number at a time, and holds them against their bodies: that
 * must notice all that change a number, but for those whose reason is listed.
 *
 * <p>Of kernels that are made from a body, over time or over rows, every instruction of their programs
 * is broken; of these and of those written by hand every call of a product, fold or loop.
 */
@Tag("cpu")
class CpuKernelMutationTest {
  private static final int D = 4;

  /** Whole panels of two vectors of 128 bits: what is changed is never beyond the end of a row. */
  private static final int H = 4;

  /** Of weights and states: all sides of limits and tests are seen. */
  private static final double WIDE = 1.5;

  private static final Init UNIFORM = Init.uniform(0.5).as(F64);

  /** Mutants that change numbers on the way, and no result: what matches, and why. */
  private static final Map<String, String> HARMLESS =
      Map.ofEntries(
          Map.entry(
              "(elman|odd SPARE) over time, program 2, 3 load 2: negated"
                  + "|leaky over time, program (1, 8 store 1 at 0|2, 5 load 2): negated"
                  + "|jordan over time, program 3, (0 load 0|8 load 4): negated"
                  + "|matrix-peephole over time, program 4, 13 load 6: negated"
                  + "|odd DEAF over time, program 2, 4 load 3: negated"
                  + "|odd TWICE over time, program (2, 8 store 5 at 3|3, 5 load 2): negated"
                  + "|odd LONG over time, program 6, 88 load 19: negated"
                  + "|cifg by the step, program (2, 9 store 3 at 5|3, 23 load 8): negated",
              "y of a tanh, for 1 − y²"),
          Map.entry(
              "(elman-relu|irnn) over time, program 2, 0 load 0: doubled",
              "y of a relu: whether it is above 0"),
          Map.entry(
              "odd STAGES over time, program 3, 0 load 0: negated"
                  + "|odd TESTS over time, program 2, (0 load 0|2 mul \\[0, 1\\]): negated",
              "whether x lies between limits that lie around 0, or 0.4 x + 0.5 between 0 and 1"),
          Map.entry(
              "odd TESTS over time, program (1, 15 load 7|2, 16 load 4): .*",
              "whether x is NaN: no number is"),
          Map.entry(
              "odd STAGES over time, call .*",
              "a product beyond limits, where nothing flows back, for all rows of the call"),
          Map.entry(
              "cross_entropy, call \\d+ max: .*",
              "what exponents are moved by, and the result back: for range"),
          Map.entry(
              "cross_entropy, call 5 sum of exponentials: .*", "of the row without a target"));

  private final int threads = Workers.threads();
  private int mutants;

  @BeforeEach
  void oneThread() {
    assumeTrue(FusedContract.VECTORS, "no loops are made without the Vector API");
    Workers.threads(1); // calls are counted
  }

  @AfterEach
  void restore() {
    Workers.threads(threads);
  }

  @Test
  void everyBrokenKernelIsNoticed() {
    Map<String, Supplier<List<KernelCase>>> kernels = kernels();
    Set<String> alive = new TreeSet<>();
    kernels.forEach((name, cases) -> {
      for (Mutant survivor : survivors(name, cases)) {
        alive.add(name + ", " + survivor);
      }
    });
    System.out.printf(
        "fused kernels of the CPU: %d mutants of %d kernels change a number; %d survive%n",
        mutants, kernels.size(), alive.size());
    assertThat(alive)
        .as("broken, and nothing noticed")
        .allMatch(mutant -> HARMLESS.keySet().stream().anyMatch(mutant::matches));
    assertThat(HARMLESS.keySet())
        .as("listed, and noticed after all")
        .allMatch(listed -> alive.stream().anyMatch(mutant -> mutant.matches(listed)));
  }

  private List<Mutant> survivors(String name, Supplier<List<KernelCase>> make) {
    var broken = new BrokenKernels(new VectorKernels(128));
    Device device = Device.of(name + ", broken", new CpuBackend(HostMemory.pool(), broken));
    List<Mutant> alive = new ArrayList<>();
    try (var scope = Scope.open(device)) {
      List<KernelCase> cases = make.get();
      for (KernelCase one : cases) {
        assertThat(one.kernel()).as("a kernel of %s", name).isNotNull();
        assertThat(one.differs(broken)).as("%s, unbroken, is wrong", name).isFalse();
        for (Mutant mutant : one.isRagged() ? List.<Mutant>of() : broken.ofCalls()) {
          if (survives(mutant, broken, List.of(one))) {
            alive.add(mutant);
          }
        }
      }
      for (Mutant mutant : broken.ofPrograms()) {
        if (survives(mutant, broken, cases)) {
          alive.add(mutant);
        }
      }
    }
    return alive;
  }

  private boolean survives(Mutant mutant, BrokenKernels broken, List<KernelCase> cases) {
    broken.choose(mutant);
    boolean noticed = cases.stream().anyMatch(one -> one.differs(broken));
    boolean changed = broken.isChanged();
    broken.choose(null);
    mutants += changed ? 1 : 0;
    return changed && !noticed;
  }

  /** By name, what kernels are given. */
  private static Map<String, Supplier<List<KernelCase>>> kernels() {
    Map<String, Supplier<List<KernelCase>>> kernels = new LinkedHashMap<>();
    Stream.concat(Cells.names().stream(), OddCell.names())
        .forEach(name -> {
          kernels.put(
              name + " over time",
              () -> {
                List<KernelCase> cases = new ArrayList<>(scan(name, false, 3, 3));
                cases.addAll(scan(name, true, 2, 5));
                cases.addAll(scan(name, true, 4, 4, 3, 0, 4, 1));
                return cases;
              });
          kernels.put(name + " by the step", () -> step(name));
        });
    kernels.put(
        "linear", () -> all(() -> Linear.of(D, H, UNIFORM, Philox.of(3)).apply(random(6, D))));
    kernels.put(
        "dropout",
        () -> all(() -> Training.with(Philox.of(3), () -> new Dropout(1 / 3.0).apply(random(6)))));
    kernels.put(
        "cross_entropy",
        () -> {
          Tensor targets = Tensor.of(Shape.of(6), 0, 3, CrossEntropy.IGNORED, 1, 1, 2);
          return all(() -> CrossEntropy.of().apply(random(6, D), targets));
        });
    return kernels;
  }

  private static Tensor random(int... dims) {
    return Philox.of(5).normal(F64, 2, 3, dims);
  }

  private static List<KernelCase> all(Supplier<?> run) {
    return KernelCase.of(op -> true, run);
  }

  private static Cell<?> cell(String name) {
    var rng = Philox.of(7);
    Cell<?> cell =
        name.startsWith("odd ")
            ? OddCell.of(name, D, H, UNIFORM, rng)
            : Cells.of(name, D, H, UNIFORM, rng);
    for (var named : cell.parameters()) {
      named.value().assign(rng.uniform(F64, -WIDE, WIDE, named.value().shape().toArray()));
    }
    return cell;
  }

  private static <S extends State> S state(Cell<S> cell, int rows) {
    var rng = Philox.of(9);
    return State.map(cell.zero(rows), zero -> rng.normal(F64, 0, WIDE, zero.shape().toArray()));
  }

  private static List<KernelCase> scan(
      String name, boolean reverse, int steps, int rows, int... lengths) {
    Cell<?> cell = cell(name);
    Recurrent<?> layer = reverse ? Recurrent.reverse(cell) : Recurrent.of(cell);
    Tensor x = Philox.of(5).normal(F64, 0, 1, steps, rows, D);
    Tensor ends = lengths.length == 0 ? null : Tensor.of(lengths);
    return KernelCase.of(
        op -> op.label().endsWith(".scan"), () -> layer.run(x, List.of(state(cell, rows)), ends));
  }

  /** The composites of one step. */
  private static List<KernelCase> step(String name) {
    return all(() -> step(cell(name)));
  }

  private static <S extends State> S step(Cell<S> cell) {
    Tensor x = Philox.of(5).normal(F64, 0, 1, 1, 3, D);
    return cell.step(cell.project(x).select(0, 0), state(cell, 3));
  }
}
