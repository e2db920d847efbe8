package carousel.nn.kernels;

import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import carousel.nn.FusedContract;
import carousel.tensor.Device;
import carousel.tensor.TensorScope;
import carousel.tensor.cpu.CpuBackend;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.cpu.vector.VectorKernels;
import carousel.tensor.host.HostMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Breaks the fused kernels of the CPU, one number at a time, and holds them against their bodies: that
 * must notice all that change a number, but for those whose reason is listed.
 *
 * <p>Of kernels that are made from a body, over time or over rows, every instruction of their programs
 * is broken; of these and of those written by hand every call of a product, fold or loop, in every other
 * way, or in all with {@code -Dcarousel.mutants=all}.
 */
@Tag("cpu")
class CpuKernelMutationTest {
  /** Whole panels of two vectors of 128 bits: what is changed is never beyond the end of a row. */
  private static final FusedKernels KERNELS = new FusedKernels(F64, 4, 4);

  private static final boolean ALL = "all".equals(System.getProperty("carousel.mutants"));

  /** Mutants that change numbers on the way, and no result: what matches, and why. */
  private static final Map<String, String> HARMLESS =
      Map.ofEntries(
          Map.entry(
              "(elman|odd SPARE) over time, program 2, 3 load 2: negated"
                  + "|leaky over time, program (1, 8 store 1 at 0|2, 5 load 2): negated"
                  + "|jordan over time, program 3, (0 load 0|8 load 4): negated"
                  + "|matrix-peephole over time, program 4, 13 load 6: negated"
                  + "|odd DEAF over time, program 2, 3 load 2: negated"
                  + "|odd TWICE over time, program (2, 8 store 5 at 3|3, 5 load 2): negated"
                  + "|odd LONG over time, program 6, 87 load 18: negated"
                  + "|strange (attention over time, program 8, 3 load 2: negated"
                  + "|column over time, program (3, 7 load 3|4, 3 load 2): negated"
                  + "|context over time, program (2, 10 store 7 at 4|4, 3 load 2): negated"
                  + "|detached over time, program 5, 0 load 0: negated"
                  + "|factors over time, program 7, (0 load 0|10 load 4): negated"
                  + "|layer-norm over time, program 11, 21 load 11: negated"
                  + "|mixed over time, program 2, 13 load 6: negated"
                  + "|narrow over time, program (1, 5 store 1 at 1|2, 6 store 2 at 2): negated"
                  + "|narrow over time, program (7, 7 load 4|8, \\d+ load \\d+): negated"
                  + "|parts over time, program 4, 3 load 3: negated"
                  + "|projected over time, program 4, (0 load 0|9 load 4): negated"
                  + "|raw over time, program 2, 3 load 2: negated"
                  + "|tied over time, program 6, \\d+ load \\d+: negated"
                  + "|two-widths over time, program 4, 3 load 2: negated"
                  + "|unused over time, program 3, 6 load 4: negated)"
                  + "|cifg by the step, program (2, 9 store 3 at 5|3, 23 load 8): negated",
              "y of a tanh, for 1 − y²"),
          Map.entry(
              "(elman-relu|irnn) over time, program 2, 0 load 0: doubled",
              "y of a relu: whether it is above 0"),
          Map.entry(
              "odd STAGES over time, program (3, (0 load 0: negated|1 constant -0.2: doubled)"
                  + "|4, 1 constant -0.3: missing)"
                  + "|odd TESTS over time, program 2, (0 load 0|2 mul \\[0, 1\\]): negated",
              "whether x lies between limits that lie around 0, or 0.4 x + 0.5 between 0 and 1"),
          Map.entry(
              "odd TESTS over time, program (1, 15 load 7|2, 18 load 4): .*",
              "whether x is NaN: no number is"),
          Map.entry(
              "odd TESTS over time, program 2, (42 constant 0.5|4[37] mul \\[4[05], 42\\]): .*",
              "how much of a tie goes to each: there is none"),
          Map.entry(
              "strange (softmax|attention) over time, program [12], .*"
                  + "|strange unit-length over time, program (3, .*|4, 3 constant 1.0: .*)",
              "the greatest, by which exponents are moved, and the result back: for range"),
          Map.entry(
              "strange unit-length over time, program (8, 3 load 2|9, 0 load 0): .*",
              "e^x, of which a logarithm's gradient takes as much as the power's gives"),
          Map.entry(
              "strange extremes over time, program (5|6), .*(doubled|negated)",
              "what counts the ties, as much as what is divided by their number"),
          Map.entry(
              "strange layer-norm over time, program (3, \\d+ sub .*|8, 4 sub .*): negated"
                  + "|strange unit-length over time, program 2, 0 load 0: negated",
              "what is squared"),
          Map.entry(
              "strange unused over time, call 1 product .*",
              "of columns that only the last step's state is"),
          Map.entry(
              "strange unused over time, call (3[5-9]|4[01]) sum: .*",
              "of a gradient, looked at for NaN alone"),
          Map.entry(
              "odd (STAGES|TESTS) over time, call .*",
              "a product beyond limits, where nothing flows back, for all rows of the call"),
          Map.entry(
              "cross_entropy, call \\d+ max: .*",
              "what exponents are moved by, and the result back: for range"));

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
    Map<String, Supplier<List<KernelCase>>> kernels = KERNELS.cases();
    // Thousands of mutants; what is long comes of what others have, and is held to its graph
    // elsewhere.
    kernels.remove("strange long over time");
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
    var device = Device.of(name + ", broken", new CpuBackend(HostMemory.pool(), broken));
    List<Mutant> alive = new ArrayList<>();
    try (var scope = TensorScope.open(device)) {
      List<KernelCase> cases = make.get();
      for (KernelCase one : cases) {
        assertThat(one.kernel()).as("a kernel of %s", name).isNotNull();
        assertThat(one.differs(broken::watch)).as("%s, unbroken, is wrong", name).isFalse();
        List<Mutant> calls = one.isRagged() ? List.of() : broken.ofCalls();
        for (int i = 0; i < calls.size(); i++) {
          // A call in all ways is as many mutants as all programs have.
          boolean tried = ALL || i % 2 == i / BrokenKernels.WAYS % 2;
          if (tried && survives(calls.get(i), broken, List.of(one))) {
            alive.add(calls.get(i));
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
    boolean noticed = cases.stream().anyMatch(one -> one.differs(broken::watch));
    boolean changed = broken.isChanged();
    broken.choose(null);
    mutants += changed ? 1 : 0;
    return changed && !noticed;
  }
}
