package carousel.cuda;

import static carousel.tensor.DType.F64;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.cuda.KernelMutants.Mutant;
import carousel.cuda.scan.RecurrentCase;
import carousel.tensor.Device;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Breaks the statements of the fused kernels in every way of {@link KernelMutants}, one at a time, and
 * holds them against their bodies: that must notice all that change a number, but for those whose
 * reason is listed.
 *
 * <p>All kernels, which take a minute, with {@code -Dcarousel.mutants=all}.
 */
class KernelMutationTest {
  private static final boolean ALL = "all".equals(System.getProperty("carousel.mutants"));

  /** On the right side of a statement whose value is not read: it may be any number. */
  private static final String ANYTHING = "anything";

  /**
   * Mutants of a statement that change no result.
   *
   * @param statement its file and text
   * @param kernels of which kernels
   * @param wrong what may be on its right side
   * @param why the reason
   */
  private record Harmless(String statement, Set<String> kernels, Set<String> wrong, String why) {
    static Harmless unread(String statement, Set<String> kernels, String why) {
      return new Harmless(statement, kernels, Set.of(ANYTHING), why);
    }

    Stream<String> names() {
      return kernels.stream().flatMap(k -> wrong.stream().map(w -> name(k, statement, w)));
    }
  }

  private static final List<Harmless> HARMLESS =
      List.of(
          Harmless.unread(
              "cells.cuh: du[g] = dz[g];",
              Set.of("lstm.gates", "peephole.gates", "cifg.gates"),
              "z and u are one sum, and so is its gradient: du is not written"),
          Harmless.unread(
              "gates.cuh: p.v[j] = in.v[j][unit];",
              Set.of("gru-after.gates"),
              "bh is added: no gradient depends on it"),
          Harmless.unread(
              "recurrence.cuh: p.v[i] = b.v[i][unit];",
              Set.of("gru-after.scan"),
              "bh is added: no gradient depends on it"),
          Harmless.unread(
              "recurrence.cuh: p.kept = C::KEEPS ? b.kept[cell * b.lead + unit] : T(0);",
              Set.of("gru.scan"),
              "r h' is kept for the gradient of wn alone, a product after the scan"),
          Harmless.unread(
              "step.cuh: s.gates[g] = s.z[g];",
              Set.of("lstm.scan", "peephole.scan", "cifg.scan", "gru-after.scan", "elman.scan"),
              "for cells of two stages; these compute all gates anew"),
          Harmless.unread(
              "scan_backward.cuh: p.before_c = p.dc;",
              Set.of("gru.scan", "gru-after.scan", "elman.scan"),
              "cells without c"),
          Harmless.unread(
              "step.cuh: p.before_c = p.dc;",
              Set.of("gru.scan", "gru-after.scan", "elman.scan"),
              "cells without c"),
          Harmless.unread(
              "scan_forward.cuh: s.h = before_h(time, row, unit);",
              Set.of("matrix-peephole.scan"),
              "the second stage, which gives h, reads it again"),
          new Harmless(
              "layer_norm.cu: squares += (v - mean) * (v - mean);",
              Set.of("layer_norm"),
              Set.of(
                  "(v + mean) * (v - mean)",
                  "(v - mean) * (v + mean)",
                  "(v) * (v - mean)",
                  "(v - mean) * (v)"),
              "the sum of v - mean is 0, and so is any multiple of it: equal but for rounding"));

  private int mutants;

  /** Who survives must be listed, and who is listed must survive. */
  @Test
  void everyBrokenKernelIsNoticed() {
    try (var scope = TensorScope.open()) {
      Map<String, List<Predicate<Device>>> kernels = kernels();
      Set<String> harmless = harmless(kernels.keySet());
      Set<String> alive = new TreeSet<>();
      int survivors = 0;
      for (var kernel : kernels.entrySet()) {
        for (Mutant survivor : survivors(kernel.getValue())) {
          String unread = name(kernel.getKey(), survivor.statement(), ANYTHING);
          alive.add(
              harmless.contains(unread)
                  ? unread
                  : name(kernel.getKey(), survivor.statement(), survivor.wrong()));
          survivors++;
        }
      }
      System.out.printf(
          "fused kernels of CUDA: %d mutants of %d kernels change a number; %d survive%n",
          mutants, kernels.size(), survivors);
      assertThat(alive)
          .as("the survivors, and those that are listed")
          .containsExactlyInAnyOrderElementsOf(harmless);
    }
  }

  /** What is listed of some kernels. */
  private static Set<String> harmless(Set<String> kernels) {
    return HARMLESS.stream()
        .flatMap(Harmless::names)
        .filter(name -> kernels.stream().anyMatch(kernel -> name.startsWith(kernel + ", ")))
        .collect(toSet());
  }

  private static String name(String kernel, String statement, String wrong) {
    return String.format(Locale.ROOT, "%s, %s → %s", kernel, statement, wrong);
  }

  /** By name, who looks at a kernel: each says whether it notices something wrong. */
  private static Map<String, List<Predicate<Device>>> kernels() {
    Map<String, List<Predicate<Device>>> kernels = new LinkedHashMap<>();
    List<String> some = List.of("lstm", "gru-after");
    for (String cell : ALL ? List.of("lstm", "peephole", "cifg", "gru-after") : some) {
      kernels.put(cell + ".gates", cases(cell, ".gates").toList());
    }
    if (ALL) {
      for (String cell :
          List.of("lstm", "peephole", "matrix-peephole", "cifg", "gru", "gru-after")) {
        kernels.put(cell + ".scan", cases(cell, ".scan").toList());
      }
      kernels.put(
          "elman.scan",
          Stream.of("elman", "elman-relu", "elman-identity")
              .flatMap(cell -> cases(cell, ".scan"))
              .toList());
    }
    kernels.put("dropout", List.of(FusedCase.dropout(30)::differs));
    kernels.put(
        "cross_entropy",
        Stream.of(FusedCase.crossEntropy(7, 13), FusedCase.crossEntropy(5, 1))
            .<Predicate<Device>>map(c -> c::differs)
            .toList());
    kernels.put(
        "layer_norm",
        Stream.of(FusedCase.layerNorm(7, 13), FusedCase.layerNorm(300, 3))
            .<Predicate<Device>>map(c -> c::differs)
            .toList());
    return kernels;
  }

  /** Whole sequences, rows that end and begin early, and more rows than go in one launch. */
  private static Stream<Predicate<Device>> cases(String cell, String suffix) {
    return Stream.of(
            RecurrentCase.of(cell, F64, 3, 2, 2, 3),
            RecurrentCase.of(cell, F64, 3, 4, 2, 3).ragged(3, 0, 2, 1),
            RecurrentCase.of(cell, F64, 3, 4, 2, 3).ragged(3, 0, 2, 1).reversed(),
            RecurrentCase.of(cell, F64, 3, 129, 1, 2).ragged(ends()))
        .map(c -> device -> !c.differences(device, suffix, -1).isEmpty());
  }

  private static Integer[] ends() {
    return Stream.iterate(0, n -> n + 1).limit(129).map(n -> n % 4).toArray(Integer[]::new);
  }

  private List<Mutant> survivors(List<Predicate<Device>> looks) {
    var driver = new MutatedDriver();
    looks.forEach(look -> assertThat(look.test(driver.device())).as("unbroken").isFalse());
    List<Mutant> alive = new ArrayList<>();
    driver
        .modules()
        .forEach((module, broken) -> {
          boolean[] reached = driver.reached(module, broken.all().size());
          for (Mutant mutant : broken.all()) {
            if (reached[mutant.site()] && survives(driver, module, mutant, looks)) {
              alive.add(mutant);
            }
          }
          driver.choose(module, -1);
        });
    return alive;
  }

  private boolean survives(
      MutatedDriver driver, long module, Mutant mutant, List<Predicate<Device>> looks) {
    driver.choose(module, mutant.number());
    boolean noticed = looks.stream().anyMatch(look -> look.test(driver.device()));
    boolean changed = driver.isChanged(module);
    mutants += changed ? 1 : 0;
    return changed && !noticed;
  }
}
