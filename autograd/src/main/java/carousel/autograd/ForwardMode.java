package carousel.autograd;

import carousel.autograd.GradReport.Kind;
import carousel.autograd.Judge.Claim;
import carousel.autograd.Judge.Judged;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Holds the directional derivative that the rules give, {@code J·d}, to the slope, number by number. It is
 * the gradient by the cotangent, so that rules are seen to be differentiable by that, too.
 */
final class ForwardMode {
  private final Trial trial;
  private final Judge judge;
  private final Slopes slopes;
  private final Philox rng;

  /**
   * At the point of a trial.
   *
   * @param slopes counts what is compared
   */
  ForwardMode(Trial trial, Judge judge, Slopes slopes, Philox rng) {
    this.trial = trial;
    this.judge = judge;
    this.slopes = slopes;
    this.rng = rng;
  }

  /**
   * Compares.
   *
   * @param function gives a vector of what the leaves hold
   * @param y its value
   * @param outputs names its numbers
   */
  void compare(Supplier<Tensor> function, Tensor y, LongFunction<String> outputs) {
    double[] weights = judge.weights();
    if (y.size() != weights.length) {
      return; // too many to be looked at one by one
    }
    try (var scope = TensorScope.openUnwatched()) {
      List<@Nullable Tensor> all = trial.none();
      List<Tensor> directions = new ArrayList<>();
      for (int i = 0; i < all.size(); i++) {
        Tensor x = trial.point().get(i);
        Tensor d = Directions.random(x, slopes.sizes().get(i), rng.split(5000L + i));
        all.set(i, d);
        directions.add(d);
      }
      double[] claimed;
      try {
        claimed = directional(function, y, directions).toDoubleArray();
      } catch (TensorException e) {
        slopes.add(Kind.FAILS, "its directional derivative cannot be taken: " + e.getMessage());
        return;
      }
      double largest = 0;
      for (double c : claimed) {
        largest = Double.isFinite(c) ? Math.max(largest, Math.abs(c)) : largest;
      }
      Slope slope = judge.slope(all);
      for (int o = 0; o < weights.length; o++) {
        if (weights[o] == 0) {
          continue;
        }
        double[] one = new double[weights.length];
        one[o] = 1;
        var claim = new Claim(claimed[o], Math.abs(claimed[o]), largest, false);
        Judged judged = judge.judge(slope, all, claim, one);
        if (judged.isWrong() && judged.kind() != Kind.NOT_FINITE) {
          judged = judged.as(Kind.FORWARD_MODE);
        }
        slopes.count(judged, outputs.apply(o));
      }
    }
  }

  /** J·d, as the gradient by v of ⟨vᵀ·J, d⟩: the rules' cotangents are differentiated by, too. */
  private Tensor directional(Supplier<Tensor> function, Tensor y, List<Tensor> directions) {
    Tensor probe = y.zerosLike();
    Supplier<Tensor> inner =
        () -> {
          try (var pullback = Pullback.of(function, trial.asLeaves())) {
            Tensor sum = null;
            List<Tensor> gradients = pullback.pull(probe);
            for (int i = 0; i < directions.size(); i++) {
              Tensor term = gradients.get(i).mul(directions.get(i)).cast(DType.F64).sum();
              sum = sum == null ? term : sum.add(term);
            }
            return sum == null ? probe.sum() : sum;
          }
        };
    return Grad.orZero(inner, probe).get(0);
  }
}
