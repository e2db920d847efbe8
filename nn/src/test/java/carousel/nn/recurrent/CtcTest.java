package carousel.nn.recurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import carousel.autograd.Grad;
import carousel.autograd.GradCheck;
import carousel.nn.FusedContract;
import carousel.nn.loss.Reduction;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Interpreter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** CTC against the sum over all paths, one by one. */
class CtcTest {
  private TensorScope run;

  @BeforeEach
  void open() {
    run = TensorScope.open();
  }

  @AfterEach
  void close() {
    run.close();
  }

  /**
   * Σ over all V^T paths that read as the target, of the product of their probabilities; adds to passing, for
   * each step and class, what the paths through it have.
   */
  private static double sum(
      double[][] p, int steps, List<Integer> target, int blank, double[][] passing) {
    int classes = p[0].length;
    double total = 0;
    for (long code = 0; code < Math.pow(classes, steps); code++) {
      int[] path = new int[steps];
      long rest = code;
      double product = 1;
      for (int t = 0; t < steps; t++) {
        path[t] = (int) (rest % classes);
        rest /= classes;
        product *= p[t][path[t]];
      }
      List<Integer> read = new ArrayList<>();
      for (int t = 0; t < steps; t++) {
        if (path[t] != blank && (t == 0 || path[t] != path[t - 1])) {
          read.add(path[t]);
        }
      }
      if (read.equals(target)) {
        total += product;
        for (int t = 0; t < steps; t++) {
          passing[t][path[t]] += product;
        }
      }
    }
    return total;
  }

  private static final int STEPS = 5;
  private static final int CLASSES = 3;

  private record Row(int steps, int... labels) {}

  private static List<Row> rows(int blank) {
    int a = blank == 0 ? 1 : 0;
    int b = blank == 2 ? 1 : 2;
    return List.of(
        new Row(5, a, b),
        new Row(5, a, a),
        new Row(3, b, b),
        new Row(4, a, b, a),
        new Row(5, b),
        new Row(2, b),
        new Row(5),
        new Row(0),
        new Row(1),
        new Row(5, a, a, a),
        new Row(5, a, b, b, a));
  }

  private static Tensor targets(List<Row> rows, int padding) {
    int[] all = new int[rows.size() * 4];
    for (int n = 0; n < rows.size(); n++) {
      for (int i = 0; i < 4; i++) {
        int[] labels = rows.get(n).labels();
        all[4 * n + i] = i < labels.length ? labels[i] : padding;
      }
    }
    return Tensor.of(Shape.of(rows.size(), 4), all);
  }

  private static Tensor steps(List<Row> rows) {
    return Tensor.of(rows.stream().mapToInt(Row::steps).toArray());
  }

  private static Tensor labels(List<Row> rows) {
    return Tensor.of(rows.stream().mapToInt(r -> r.labels().length).toArray());
  }

  private static double[][] row(double[] all, int rows, int n) {
    double[][] p = new double[STEPS][CLASSES];
    for (int t = 0; t < STEPS; t++) {
      System.arraycopy(all, (t * rows + n) * CLASSES, p[t], 0, CLASSES);
    }
    return p;
  }

  @Test
  void isTheSumOverAllPathsAndItsGradientTheirShares() {
    for (int blank = 0; blank < CLASSES; blank++) {
      List<Row> rows = rows(blank);
      int n = rows.size();
      Tensor logP = Philox.of(blank).normal(DType.F64, 0, 2, STEPS, n, CLASSES).logSoftmax(-1);
      double[] p = logP.exp().toDoubleArray();
      Ctc loss = Ctc.of().withBlank(blank).withReduction(Reduction.NONE);
      for (var by : List.of(Interpreter.EAGER, FusedContract.BODIES)) {
        for (int padding : new int[] {0, -100, 7}) {
          by.run(() -> {
            Tensor targets = targets(rows, padding);
            double[] losses = loss.apply(logP, targets, steps(rows), labels(rows)).toDoubleArray();
            double[] slopes =
                Grad.of(() -> loss.apply(logP, targets, steps(rows), labels(rows)).sum(), logP)
                    .get(0)
                    .toDoubleArray();
            for (int k = 0; k < n; k++) {
              Row row = rows.get(k);
              double[][] passing = new double[STEPS][CLASSES];
              List<Integer> target = Arrays.stream(row.labels()).boxed().toList();
              int empty = row.labels().length;
              double all = sum(row(p, n, k), row.steps(), target, loss.blank(), passing);
              assertThat(losses[k])
                  .as("%s, %d labels", row, empty)
                  .isCloseTo(-Math.log(all), within(1e-12));
              double[][] slope = row(slopes, n, k);
              for (int t = 0; t < STEPS; t++) {
                for (int c = 0; c < CLASSES; c++) {
                  assertThat(slope[t][c])
                      .as("%s by step %d, class %d", row, t, c)
                      .isCloseTo(-passing[t][c] / all, within(1e-12));
                }
              }
            }
            return null;
          });
        }
      }
    }
  }

  @Test
  void hasSecondDerivatives() {
    List<Row> rows = rows(0).subList(0, 6);
    Tensor logits = Philox.of(3).normal(DType.F64, 0, 1, STEPS, rows.size(), CLASSES);
    Tensor targets = targets(rows, 0);
    GradCheck.standard()
        .withOrder(2)
        .run(
            "ctc",
            in -> Ctc.of().apply(in[0].logSoftmax(-1), targets, steps(rows), labels(rows)),
            logits)
        .require();
  }

  @Test
  void reducesAsPyTorchDoes() {
    List<Row> rows = rows(0);
    Tensor logP = Philox.of(1).normal(DType.F64, 0, 1, STEPS, rows.size(), CLASSES).logSoftmax(-1);
    Tensor targets = targets(rows, 0);
    double[] each =
        Ctc.of()
            .withReduction(Reduction.NONE)
            .apply(logP, targets, steps(rows), labels(rows))
            .toDoubleArray();
    double sum = 0;
    double mean = 0;
    for (int n = 0; n < each.length; n++) {
      sum += each[n];
      mean += each[n] / Math.max(1, rows.get(n).labels().length) / each.length;
    }
    assertThat(
            Ctc.of()
                .withReduction(Reduction.SUM)
                .apply(logP, targets, steps(rows), labels(rows))
                .item())
        .isCloseTo(sum, within(1e-12));
    assertThat(Ctc.of().apply(logP, targets, steps(rows), labels(rows)).item())
        .isCloseTo(mean, within(1e-12));
  }

  /** All classes alike over 120 steps: e^−132, which is 0 in F32, of each of C(T + L, 2 L) paths. */
  @Test
  void longSequencesNeitherVanishNorLoseTheirGradient() {
    int steps = 120;
    int labels = 30;
    Tensor logP = Tensor.full(DType.F32, -Math.log(3), steps, 1, 3);
    int[] target = new int[labels];
    for (int i = 0; i < labels; i++) {
      target[i] = 1 + i % 2;
    }
    Tensor targets = Tensor.of(Shape.of(1, labels), target);
    double paths = 0;
    for (int i = 1; i <= 2 * labels; i++) {
      paths += Math.log((steps + labels - 2 * labels + i) / (double) i);
    }
    assertThat(Ctc.of().withReduction(Reduction.SUM).apply(logP, targets).item())
        .isCloseTo(steps * Math.log(3) - paths, within(1e-4));
    Tensor slope =
        Grad.of(() -> Ctc.of().withReduction(Reduction.SUM).apply(logP, targets), logP).get(0);
    // Every path is at one class at each step.
    assertThat(slope.sum(2).add(1).abs().max().item()).isLessThan(1e-5);
  }

  @Test
  void aTargetOfProbabilityZeroCostsInfinityAndHasNoGradient() {
    Tensor logP =
        Tensor.of(
            Shape.of(2, 2, 2),
            0,
            Float.NEGATIVE_INFINITY,
            -1,
            -1,
            0,
            Float.NEGATIVE_INFINITY,
            -1,
            -1);
    Ctc loss = Ctc.of().withReduction(Reduction.NONE);
    Tensor targets = Tensor.of(Shape.of(2, 1), 1, 1);
    assertThat(loss.apply(logP, targets).toFloatArray()[0]).isEqualTo(Float.POSITIVE_INFINITY);
    assertThat(loss.apply(logP, targets).toFloatArray()[1])
        .as("blank and label, label and blank, label twice")
        .isCloseTo((float) (2 - Math.log(3)), within(1e-6f));
    Tensor slope = Grad.of(() -> loss.apply(logP, targets).narrow(0, 1, 1).sum(), logP).get(0);
    assertThat(slope.isFinite().all().item()).isEqualTo(1);
    Tensor both = Grad.of(() -> loss.apply(logP, targets).sum(), logP).get(0);
    assertThat(both.select(1, 0).toFloatArray()).containsOnly(0);
  }

  @Test
  void saysWhatIsWrong() {
    Tensor p = Tensor.zeros(3, 1, 4);
    var loss = Ctc.of();
    expect(() -> loss.apply(p, row(1, 1, 2)), "row 0 has 3 steps, its 3 labels need at least 4");
    expect(() -> loss.apply(p, row(1, 2, 3, 1)), "its 4 labels need at least 4");
    expect(() -> loss.apply(p, row(0)), "target 0 at [0,0] is no label");
    expect(() -> loss.apply(p, row(4)), "target 4 at [0,0] is no label; valid are 0 to 3");
    expect(() -> loss.withBlank(4).apply(p, row(1)), "the blank, class 4, is none of the 4");
    expect(() -> loss.apply(p.select(1, 0), row(1)), "must be [T,N,V]");
    expect(() -> loss.apply(p, row(1), Tensor.of(4), Tensor.of(1)), "4 steps; there are 0 to 3");
    expect(() -> loss.apply(p, row(1), Tensor.of(3), Tensor.of(2)), "2 labels; there are 0 to 1");
    expect(() -> loss.apply(p, row(1), Tensor.of(3, 3), Tensor.of(1)), "steps must be I32 [1]");
    expect(() -> loss.apply(p, Tensor.zeros(1, 1)), "targets must be I32");
    expect(
        () -> loss.apply(p, row(1).expand(1, 1 << 30), Tensor.of(3), Tensor.of(1)),
        "ctc: targets [1,1073741824]: a path has 2147483649 places");
  }

  private static Tensor row(int... labels) {
    return Tensor.of(Shape.of(1, labels.length), labels);
  }

  private static void expect(Runnable call, String message) {
    assertThatThrownBy(call::run).isInstanceOf(TensorException.class).hasMessageContaining(message);
  }

  @Test
  void runsAsOneKernel() {
    int width = 7;
    Tensor x = Tensor.zeros(DType.F64, 4, 2, width);
    var cell = new Ctc.Paths(width, Tensor.zeros(DType.F64, 2, width));
    if (FusedContract.VECTORS && TensorScope.current().device() == Device.cpu()) {
      assertThat(Recurrent.of(cell).explain(x)).contains("one kernel for all steps");
    }
  }
}
