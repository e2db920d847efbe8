package carousel.nn.recurrent;

import carousel.nn.loss.Reduction;
import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.List;
import java.util.Locale;

/**
 * Connectionist temporal classification: {@code −ln Σ_π Π_t p_t[π_t]} in nats, over all paths π through the
 * steps that give the target when equal neighbours are made one and blanks are left out; {@code ln p
 * [T,N,V], targets [N,L] → [N]}, reduced.
 *
 * <p>The sum is made by the forward recursion over the target with blanks around each label, in logarithms
 * and in F64, by one kernel for all steps where there is one ({@link Recurrent}); every order of gradient
 * is that of the sum. The gradient by a log probability is minus the share of the paths that pass there. A
 * target of which every path has a step of probability 0 costs ∞, and has no gradient.
 *
 * <p>Source: Graves, Fernández, Gomez and Schmidhuber 2006.
 *
 * @param reduction what becomes of the losses of sequences; their mean is that of the losses divided by the
 *     number of labels (at least 1), as in PyTorch
 * @param blank the class that stands for no label
 */
public record Ctc(Reduction reduction, int blank) {
  /** The logarithm of 0: a number, so that differences of it are 0, and farther than any path costs. */
  private static final double NEVER = -1e30;

  /**
   * The mean, with class 0 as the blank.
   *
   * @return the loss
   */
  public static Ctc of() {
    return new Ctc(Reduction.MEAN, 0);
  }

  /**
   * This loss with another reduction.
   *
   * @param other what becomes of the losses
   * @return the loss
   */
  public Ctc withReduction(Reduction other) {
    return new Ctc(other, blank);
  }

  /**
   * This loss with another blank.
   *
   * @param other the class that stands for no label
   * @return the loss
   */
  public Ctc withBlank(int other) {
    return new Ctc(reduction, other);
  }

  /**
   * The loss of sequences that fill all steps and labels.
   *
   * @param logProbabilities {@code [T,N,V]}, e.g. from {@code logSoftmax}
   * @param targets I32 {@code [N,L]}, each a class other than the blank
   * @return a scalar, or {@code [N]} with reduction NONE
   * @throws TensorException if the shapes do not fit, a target is out of range, or there are too few steps
   */
  public Tensor apply(Tensor logProbabilities, Tensor targets) {
    check(logProbabilities, targets);
    int rows = targets.dim(0);
    return apply(
        logProbabilities,
        targets,
        Tensor.full(DType.I32, logProbabilities.dim(0), rows),
        Tensor.full(DType.I32, targets.dim(1), rows));
  }

  /**
   * The loss.
   *
   * <p>Targets and lengths are read on the host: on another device, that waits for them.
   *
   * @param logProbabilities {@code [T,N,V]}, e.g. from {@code logSoftmax}
   * @param targets I32 {@code [N,L]}, each a class other than the blank; what is beyond a row's length is
   *     not looked at
   * @param steps I32 {@code [N]}, how many steps of each row there are, in [0, T]
   * @param labels I32 {@code [N]}, how many labels of each row there are, in [0, L]
   * @return a scalar, or {@code [N]} with reduction NONE
   * @throws TensorException if the shapes do not fit, a target or length is out of range, or a row has too
   *     few steps for its labels: one for each, and one more between two that are equal
   */
  public Tensor apply(Tensor logProbabilities, Tensor targets, Tensor steps, Tensor labels) {
    check(logProbabilities, targets);
    int time = logProbabilities.dim(0);
    int rows = logProbabilities.dim(1);
    int[] ends = lengths("steps", steps, rows, time);
    int[] counts = lengths("labels", labels, rows, targets.dim(1));
    var states = new States(targets, counts, ends, logProbabilities.dim(2));
    Tensor index = states.classes(logProbabilities).unsqueeze(0).expand(time, rows, states.width);
    Tensor z = logProbabilities.gather(index, 2).cast(DType.F64).maximum(NEVER);
    Tensor start = states.start(logProbabilities);
    var paths = new Paths(states.width, states.skips(logProbabilities));
    Tensor last =
        time == 0
            ? start
            : Recurrent.of(paths)
                .run(z, List.of(new HiddenState(start)), steps.to(z.device()))
                .last();
    Tensor loss = last.add(states.ends(logProbabilities)).logSumExp(Tensor.LAST).neg();
    Tensor impossible = loss.gt(-NEVER / 2);
    Tensor nats = Tensor.where(impossible, loss.scalarLike(Double.POSITIVE_INFINITY), loss);
    if (reduction == Reduction.MEAN) {
      nats = nats.div(labels.to(z.device()).maximum(1).cast(DType.F64));
    }
    return reduction.of(nats).cast(logProbabilities.dtype());
  }

  private void check(Tensor p, Tensor targets) {
    if (p.rank() != 3 || targets.rank() != 2 || p.dim(1) != targets.dim(0)) {
      throw new TensorException(
          "ctc: log probabilities must be [T,N,V] (steps, rows, classes) and targets [N,L], got "
              + p.shape()
              + " and "
              + targets.shape());
    }
    if (targets.dtype() != DType.I32) {
      throw new TensorException(
          "ctc: targets must be I32, got "
              + targets.dtype()
              + "; convert them with cast(DType.I32)");
    }
    if (blank < 0 || blank >= p.dim(2)) {
      throw new TensorException(
          "ctc: the blank, class " + blank + ", is none of the " + p.dim(2) + " of " + p.shape());
    }
  }

  private static int[] lengths(String what, Tensor lengths, int rows, int most) {
    if (lengths.dtype() != DType.I32 || !lengths.shape().equals(Shape.of(rows))) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "ctc: %s must be I32 [%d], one for each row, got %s %s",
              what,
              rows,
              lengths.dtype(),
              lengths.shape()));
    }
    int[] values = lengths.toIntArray();
    for (int n = 0; n < rows; n++) {
      if (values[n] < 0 || values[n] > most) {
        throw new TensorException(
            String.format(
                Locale.ROOT, "ctc: row %d has %d %s; there are 0 to %d", n, values[n], what, most));
      }
    }
    return values;
  }

  /**
   * Where a path may be: before, at and after each label, S = 2 L + 1 states of each row. Odd ones are
   * labels, even ones blanks.
   */
  private final class States {
    private final int[][] targets;
    private final int[] counts;
    private final int width;

    States(Tensor targets, int[] counts, int[] steps, int classes) {
      this.counts = counts;
      this.width = width(targets);
      int[] flat = targets.toIntArray();
      this.targets = new int[counts.length][];
      for (int n = 0; n < counts.length; n++) {
        int[] row = new int[counts[n]];
        System.arraycopy(flat, n * targets.dim(1), row, 0, row.length);
        this.targets[n] = row;
        check(n, row, steps[n], classes);
      }
    }

    private static int width(Tensor targets) {
      long width = 2L * targets.dim(1) + 1;
      if (width > Integer.MAX_VALUE) {
        throw new TensorException(
            "ctc: targets "
                + targets.shape()
                + ": a path has "
                + width
                + " places, of more labels than an axis can hold; leave out labels that no row has");
      }
      return (int) width;
    }

    private void check(int n, int[] row, int steps, int classes) {
      int needed = row.length;
      for (int i = 0; i < row.length; i++) {
        if (row[i] < 0 || row[i] >= classes || row[i] == blank) {
          throw new TensorException(
              String.format(
                  Locale.ROOT,
                  "ctc: target %d at [%d,%d] is no label; valid are 0 to %d without %d, the blank",
                  row[i],
                  n,
                  i,
                  classes - 1,
                  blank));
        }
        needed += i > 0 && row[i] == row[i - 1] ? 1 : 0;
      }
      if (steps < needed) {
        throw new TensorException(
            String.format(
                Locale.ROOT,
                "ctc: row %d has %d steps, its %d labels need at least %d (one each, and one between two"
                    + " that are equal); leave such rows out",
                n,
                steps,
                row.length,
                needed));
      }
    }

    private boolean isLabel(int n, int s) {
      return s % 2 == 1 && s / 2 < counts[n];
    }

    /** I32 {@code [N,S]}: the class of each state. */
    Tensor classes(Tensor like) {
      int[] classes = new int[counts.length * width];
      for (int i = 0; i < classes.length; i++) {
        int n = i / width;
        int s = i % width;
        classes[i] = isLabel(n, s) ? targets[n][s / 2] : blank;
      }
      return Tensor.of(Shape.of(counts.length, width), classes).to(like.device());
    }

    /** Of a path before the first step: as if at the blank in front. */
    Tensor start(Tensor like) {
      return costs(like, (n, s) -> s == 0);
    }

    /** 0 where a path may come from two states before: over a blank, from one label to another. */
    Tensor skips(Tensor like) {
      return costs(
          like, (n, s) -> s > 1 && isLabel(n, s) && targets[n][s / 2] != targets[n][s / 2 - 1]);
    }

    /** 0 where a path may end: at the last label or the blank behind it. */
    Tensor ends(Tensor like) {
      return costs(like, (n, s) -> s == 2 * counts[n] || s == 2 * counts[n] - 1);
    }

    private Tensor costs(Tensor like, Allowed allowed) {
      double[] costs = new double[counts.length * width];
      for (int i = 0; i < costs.length; i++) {
        costs[i] = allowed.is(i / width, i % width) ? 0 : NEVER;
      }
      return Tensor.of(Shape.of(counts.length, width), costs).to(like.device());
    }
  }

  @FunctionalInterface
  private interface Allowed {
    boolean is(int row, int state);
  }

  /**
   * One step of all paths: {@code h_s = z_s + ln(e^h'_s + e^h'_(s−1) + e^(h'_(s−2) + skips_s))}.
   *
   * @param width S
   * @param skips F64 {@code [N,S]}
   */
  record Paths(int width, Tensor skips) implements Cell<HiddenState> {
    @Override
    public int inputs() {
      return width;
    }

    @Override
    public int outputs() {
      return width;
    }

    @Override
    public String label() {
      return "ctc";
    }

    @Override
    public Tensor project(Tensor x) {
      return x;
    }

    @Override
    public HiddenState step(Tensor z, HiddenState state) {
      Tensor stay = state.h();
      Tensor next = later(stay, 1);
      Tensor over = later(stay, 2).add(skips);
      // What all three are measured from does not change their sum: nothing flows through it.
      Tensor greatest = stay.maximum(next).maximum(over).detach();
      Tensor sum =
          stay.sub(greatest).exp().add(next.sub(greatest).exp()).add(over.sub(greatest).exp());
      return new HiddenState(z.add(greatest).add(sum.log()));
    }

    /** Each state's value where a later state is. */
    private Tensor later(Tensor h, int by) {
      int moved = Math.min(by, width);
      Tensor never = h.fullLike(Shape.of(h.dim(0), moved), NEVER);
      return moved == width
          ? never
          : Tensor.concat(List.of(never, h.narrow(Tensor.LAST, 0, width - moved)), Tensor.LAST);
    }

    @Override
    public HiddenState zero(int batch) {
      return new HiddenState(skips.zerosLike(Shape.of(batch, width)));
    }
  }
}
