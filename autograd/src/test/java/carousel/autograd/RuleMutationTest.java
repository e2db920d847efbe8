package carousel.autograd;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.Device;
import carousel.tensor.TensorScope;
import carousel.tensor.contract.OpCase;
import carousel.tensor.contract.OpCases;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Op;
import carousel.tensor.op.Transfer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Breaks every op of every gradient rule in a third of the ways of {@link Breaking.Way}, one at a time, or in all
 * of them with {@code -Dcarousel.mutants=all}, and lets {@link OpGradientsTest} and {@link SpecialPointsTest} look:
 * they must notice all that change a number, but for those listed with their reason.
 */
@Tag("cpu")
class RuleMutationTest {
  private static final boolean ALL = "all".equals(System.getProperty("carousel.mutants"));

  private static final String SHARES = "equal elements share the gradient: the mask, by its sum";

  private static final String SIGN = "what is left of a division, of which the sign is read";

  private static final String SUM = "powers are divided by their sum, found of the same";

  /** Mutants that change numbers on the way, and no gradient: row, position, op, way, and why. */
  private static final Map<String, String> HARMLESS =
      Map.of(
          "Reduce.MAX 1 cast DOUBLED", SHARES,
          "Reduce.MAX 1 cast NEGATED", SHARES,
          "Reduce.MIN 1 cast DOUBLED", SHARES,
          "Reduce.MIN 1 cast NEGATED", SHARES,
          "Reduce.LOG_SUM_EXP 4 exp DOUBLED", SUM,
          "Reduce.LOG_SUM_EXP 4 exp NEGATED", SUM,
          "Binary.FMOD 8 fma DOUBLED", SIGN,
          "Binary.FMOD 9 where DOUBLED", SIGN,
          "Binary.POW 1 abs DOUBLED", "a bound below which 1/x is infinite, or half of it");

  private static final int ORDERS = GradCheck.standard().order();

  /** Rules are made of ops, whoever computes these; vectors would be slow until they are compiled. */
  private static final Device DEVICE = Device.reference();

  private final Set<String> tried = new TreeSet<>();
  private int mutants;

  @Test
  void everyBrokenRuleIsNoticed() {
    Map<String, List<OpCase>> rows =
        OpCases.smooth()
            .filter(c -> !(c.op() instanceof Composite) && !(c.op() instanceof Transfer))
            .collect(Collectors.groupingBy(OpCase::row, LinkedHashMap::new, Collectors.toList()));
    Set<String> alive = new TreeSet<>();
    rows.forEach((row, cases) -> alive.addAll(survivors(row, cases)));
    System.out.printf(
        "gradient rules: %d mutants of %d rules change a number; %d survive%n",
        mutants, rows.size(), alive.size());
    if (ALL) {
      assertThat(tried).as("what is listed is there").containsAll(HARMLESS.keySet());
    }
    tried.retainAll(HARMLESS.keySet());
    assertThat(alive).as("%s", alive).isEqualTo(tried);
  }

  private List<String> survivors(String row, List<OpCase> cases) {
    String label = cases.getFirst().op().label();
    List<String> applied = new ArrayList<>();
    for (OpCase c : cases) {
      var looking = new Breaking(label, -1, Breaking.Way.NEGATED);
      looking.around(() -> OpGradientsTest.check(c, DEVICE));
      if (looking.applied().size() > applied.size()) {
        applied = looking.applied();
      }
    }
    List<String> alive = new ArrayList<>();
    for (int k = 0; k < applied.size(); k++) {
      for (var way : Breaking.Way.values()) {
        if (!ALL && (k + way.ordinal() + row.length()) % 3 != 0) {
          continue;
        }
        String name = String.format(Locale.ROOT, "%s %d %s %s", row, k, applied.get(k), way);
        tried.add(name);
        boolean changed = false;
        boolean noticed = false;
        // Nearly all are noticed at the first order, which takes a small part of the time.
        for (int order = 1; order <= ORDERS && !noticed; order++) {
          for (int i = 0; i < cases.size() && !noticed; i++) {
            var breaking = new Breaking(label, k, way);
            noticed = isNoticed(breaking, cases.get(i), order);
            changed |= breaking.changed();
          }
        }
        if (changed) {
          mutants++;
        }
        if (changed && !noticed && !isNoticedAtSpecialPoints(new Breaking(label, k, way), cases)) {
          alive.add(name);
        }
      }
    }
    return alive;
  }

  private static boolean isNoticed(Breaking breaking, OpCase c, int order) {
    var check = GradCheck.standard().withOrder(order);
    return fails(() -> breaking.around(() -> OpGradientsTest.check(c, DEVICE, check)));
  }

  /** What a rule does at ties, origins and quotients that are rounded up alone makes no difference at the points of the cases. */
  private static boolean isNoticedAtSpecialPoints(Breaking breaking, List<OpCase> cases) {
    try (var scope = TensorScope.open(DEVICE)) {
      Op op = cases.getFirst().op();
      return fails(() -> breaking.around(() -> SpecialPointsTest.check(op)))
          || (op == Binary.FMOD
              && fails(() -> breaking.around(FunctionGradientsTest::checkRemainders)));
    }
  }

  private static boolean fails(Runnable check) {
    try {
      check.run();
      return false;
    } catch (RuntimeException | AssertionError e) {
      return true;
    }
  }
}
