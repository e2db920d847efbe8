package carousel.autograd;

import carousel.autograd.GradCheck.Extent;
import carousel.autograd.GradReport.Finding;
import carousel.autograd.GradReport.Kind;
import carousel.autograd.Judge.Claim;
import carousel.autograd.Judge.Judged;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Moves the leaves of a trial, and compares what happens with their gradients. */
final class Slopes {
  /** A leaf of up to so many elements is moved element by element. */
  private static final int FEW = 12;

  /** From so many elements on, one direction moves all leaves. */
  private static final long MANY = 1_000_000;

  private static final int DIRECTIONS = 3;

  /** Wrong elements that are looked for by halving, and pieces tried for that. */
  private static final int MOST_NAMED = 8;

  private static final int MOST_TRIED = 300;
  private final GradCheck settings;
  private final Trial trial;
  private final int order;
  private final Judge judge;
  private final List<Tensor> gradients;
  private final Philox rng;
  private final List<Tensor> sizes = new ArrayList<>();
  private final double scale;
  private final List<Finding> findings = new ArrayList<>();
  private long compared;
  private long failed;
  private int directions;
  private double error;
  private int tried;
  private int named;
  private final Set<Integer> searched = new HashSet<>();

  /**
   * Of one function at one point.
   *
   * @param gradients of the weighted sum that the judge looks at, one per leaf
   */
  Slopes(
      GradCheck settings, Trial trial, int order, Judge judge, List<Tensor> gradients, Philox rng) {
    this.settings = settings;
    this.trial = trial;
    this.order = order;
    this.judge = judge;
    this.gradients = gradients;
    this.rng = rng;
    double largest = 0;
    for (int i = 0; i < gradients.size(); i++) {
      Tensor x = trial.point().get(i);
      Tensor size = Directions.sizes(x);
      sizes.add(size);
      if (x.size() > 0) {
        double most = Judge.wide(gradients.get(i)).mul(size).abs().max().item();
        largest = Double.isFinite(most) ? Math.max(largest, most) : largest;
      }
    }
    scale = largest;
  }

  /** Compares. */
  void compare() {
    int wanted = settings.directions() > 0 ? settings.directions() : DIRECTIONS;
    if (settings.extent() == Extent.BY_SIZE && elements() > MANY) {
      directions = wanted;
      for (int k = 0; k < wanted; k++) {
        together(k);
      }
      return;
    }
    for (int i = 0; i < gradients.size(); i++) {
      long size = gradients.get(i).size();
      boolean each =
          switch (settings.extent()) {
            case BY_SIZE -> size <= FEW;
            case DIRECTIONS -> size <= wanted;
            case ELEMENTS, JACOBIAN -> true;
          };
      if (each) {
        for (int j = 0; j < size; j++) {
          element(i, j);
        }
      } else {
        directions = wanted;
        for (int k = 0; k < wanted; k++) {
          single(i, k);
        }
      }
    }
  }

  private long elements() {
    return trial.leaves().stream().mapToLong(Tensor::size).sum();
  }

  /** Notes what is no comparison. */
  void add(Kind kind, String text) {
    findings.add(Finding.of(kind, order, "", text));
  }

  List<Finding> findings() {
    return findings;
  }

  /** The largest element of the gradients, in sizes of what they are by. */
  double scale() {
    return scale;
  }

  /** The elements' sizes, by leaf. */
  List<Tensor> sizes() {
    return sizes;
  }

  GradReport.Order summary() {
    return new GradReport.Order(order, elements(), compared, failed, directions, error);
  }

  /** Counts what was compared for one number of the result. */
  void include(Slopes other, String output) {
    compared += other.compared;
    failed += other.failed;
    error = Math.max(error, other.error);
    for (Finding f : other.findings) {
      findings.add(
          new Finding(
              f.kind(),
              f.order(),
              f.where() + ", " + output,
              f.analytic(),
              f.numeric(),
              f.uncertainty(),
              f.text()));
    }
  }

  private Claim claim(List<@Nullable Tensor> direction, boolean single) {
    double value = 0;
    double squares = 0;
    for (int i = 0; i < direction.size(); i++) {
      Tensor d = direction.get(i);
      if (d != null) {
        // What is not moved does not count, not even if its gradient is NaN.
        Tensor all = Judge.wide(gradients.get(i)).mul(Judge.wide(d));
        Tensor terms = Tensor.where(d.ne(0), all, all.zerosLike());
        value += terms.sum().item();
        squares += terms.square().sum().item();
      }
    }
    return new Claim(value, Math.sqrt(squares), scale, single);
  }

  private Judged judge(List<@Nullable Tensor> direction) {
    return judge.judge(direction, claim(direction, false));
  }

  /** Counts a comparison of one element, and shows the derivative by that. */
  private void count(Judged judged, double step, String where) {
    count(judged.per(step), where);
  }

  /** Counts a comparison. */
  void count(Judged judged, String where) {
    compared++;
    if (judged.kind() != null) {
      failed += judged.isWrong() ? 1 : 0;
      note(judged, where);
      return;
    }
    error = Math.max(error, judged.distance());
  }

  private void note(Judged judged, String where) {
    Kind kind = judged.kind();
    if (kind != null) {
      findings.add(
          new Finding(
              kind,
              order,
              where,
              judged.analytic(),
              judged.numeric(),
              judged.uncertainty(),
              advice(kind)));
    }
  }

  private static String advice(Kind kind) {
    return switch (kind) {
      case KINK -> "the function has a kink or a jump here; check it at a point where it is smooth";
      case STEP -> "no step was found at which the differences settle";
      case ROUNDING ->
          "what changes is lost in the rounding of the values; check the parts of the function by themselves";
      case SHAPE ->
          "the shape of the result is another one nearby: it depends on the values of the inputs";
      default -> "";
    };
  }

  /** Counts a comparison of a direction; if it is wrong, by the elements that are. */
  private void count(Judged judged, int leaf, String where, Runnable find) {
    if (!judged.isWrong()) {
      count(judged, where);
      return;
    }
    compared++;
    failed++;
    if (!searched.add(leaf)) {
      return; // its elements are known from the direction before
    }
    int before = named;
    find.run();
    if (named == before) {
      note(judged, where);
    }
  }

  /** Moves one leaf. */
  private void single(int leaf, int k) {
    try (var scope = TensorScope.openUnwatched()) {
      Tensor x = trial.point().get(leaf);
      Tensor d = Directions.random(x, sizes.get(leaf), rng.split(100L * leaf + k));
      List<@Nullable Tensor> all = trial.none();
      all.set(leaf, d);
      count(judge(all), leaf, trial.names().get(leaf), () -> halve(leaf, d, 0, x.size()));
    }
  }

  /** Moves all leaves at once, in one direction. */
  void compareTogether() {
    together(0);
  }

  /** Moves all leaves. */
  private void together(int k) {
    try (var scope = TensorScope.openUnwatched()) {
      List<@Nullable Tensor> all = trial.none();
      for (int i = 0; i < all.size(); i++) {
        all.set(i, Directions.random(trial.point().get(i), sizes.get(i), rng.split(100L * i + k)));
      }
      count(
          judge(all),
          -1,
          "all inputs together",
          () -> {
            for (int i = 0; i < all.size() && named < MOST_NAMED; i++) {
              Tensor d = all.get(i);
              if (d != null && d.size() > 0) {
                halve(i, d, 0, d.size());
              }
            }
          });
    }
  }

  /** Looks for the elements of a direction that are wrong. */
  private void halve(int leaf, Tensor d, long from, long to) {
    if (named >= MOST_NAMED || tried++ > MOST_TRIED) {
      return;
    }
    Judged judged;
    try (var scope = TensorScope.openUnwatched()) {
      List<@Nullable Tensor> all = trial.none();
      Tensor part =
          d.flatten()
              .narrow(0, Math.toIntExact(from), Math.toIntExact(to - from))
              .pad(0, Math.toIntExact(from), Math.toIntExact(d.size() - to), 0);
      all.set(leaf, part.reshape(d.shape()));
      judged = judge(all);
    }
    if (!judged.isWrong()) {
      return;
    }
    String name = trial.names().get(leaf);
    Shape shape = d.shape();
    if (to - from == 1) {
      named++;
      double step = d.flatten().select(0, Math.toIntExact(from)).item();
      note(judged.per(step), name + Outputs.element(shape, from));
      return;
    }
    int before = named;
    long middle = (from + to) / 2;
    halve(leaf, d, from, middle);
    halve(leaf, d, middle, to);
    if (named == before && tried <= MOST_TRIED) {
      named++;
      String last = Outputs.element(shape, to - 1);
      note(judged, name + Outputs.element(shape, from) + " to " + last);
    }
  }

  private void element(int leaf, int index) {
    try (var scope = TensorScope.openUnwatched()) {
      Tensor x = trial.point().get(leaf);
      double size = sizes.get(leaf).flatten().select(0, index).item();
      double own = Math.abs(x.flatten().select(0, index).item());
      size = own == 0 ? size : own;
      double step = size * (0.5 + rng.split(7919L * leaf + index).nextDouble());
      int after = Math.toIntExact(x.size()) - index - 1;
      Tensor one = Tensor.of(step).to(x.device()).pad(0, index, after, 0);
      List<@Nullable Tensor> all = trial.none();
      all.set(leaf, one.reshape(x.shape()).cast(x.dtype()));
      count(
          judge.judge(all, claim(all, true)),
          step,
          trial.names().get(leaf) + Outputs.element(x.shape(), index));
    }
  }
}
