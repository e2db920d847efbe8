package carousel.nn.recurrent;

import carousel.nn.Training;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The noise of one run: its rates, and the masks drawn for it, once, in the order of the components.
 *
 * @param noise the rates
 * @param inputs {@code [N,D]}
 * @param states for each tensor of the state, its shape
 * @param outputs {@code [N,H]}
 * @param kept where tensors of the state keep their values, for each BOOL {@code [T,N, ..]}; null where none
 *     do, and outside of training
 * @param candidate {@code [N,C]} or {@code [T,N,C]}
 * @param isTraining whether masks are drawn
 */
record Masks(
    Noise noise,
    Mask inputs,
    List<Mask> states,
    Mask outputs,
    @Nullable Tensor[] kept,
    Mask candidate,
    boolean isTraining) {

  /** Whether steps are as without noise; inputs are masked before them. */
  boolean leaveSteps() {
    return !noise.changesInference()
        && states.stream().allMatch(Mask::isNone)
        && outputs.isNone()
        && candidate.isNone();
  }

  /**
   * Draws the masks, if this is training.
   *
   * @param x {@code [T,N,D]}
   * @param begin the state before the first step
   */
  static Masks draw(Noise noise, Cell<?> cell, Tensor x, RecurrentState begin) {
    Optional<Philox> training = noise.isNone() ? Optional.empty() : Training.rng();
    List<Tensor> tensors = begin.tensors();
    List<Mask> states = new ArrayList<>();
    @Nullable Tensor[] kept = new Tensor[tensors.size()];
    if (training.isEmpty()) {
      tensors.forEach(_ -> states.add(Mask.NONE));
      return new Masks(noise, Mask.NONE, states, Mask.NONE, kept, Mask.NONE, false);
    }
    Philox rng = training.get();
    int steps = x.dim(0);
    int rows = x.dim(1);
    var inputs = Mask.draw(rng, noise.inputs(), x, Shape.of(rows, x.dim(2)));
    for (int k = 0; k < tensors.size(); k++) {
      Tensor state = tensors.get(k);
      boolean noisy = state.dtype().isFloating(); // a counter is left alone
      double rate = noisy ? Noise.rate(noise.states(), k) : 0;
      states.add(Mask.draw(rng, rate, x, state.shape()));
    }
    var outputs = Mask.draw(rng, noise.outputs(), x, Shape.of(rows, cell.outputs()));
    for (int k = 0; k < kept.length; k++) {
      double rate = tensors.get(k).dtype().isFloating() ? Noise.rate(noise.zoneout(), k) : 0;
      Shape shape = tensors.get(k).shape().insert(0, steps);
      kept[k] = rate == 0 ? null : rng.bernoulli(rate, shape.toArray()).to(x.device());
    }
    Mask candidate = Mask.NONE;
    if (noise.candidate() > 0 && cell instanceof CandidateCell<?> adding) {
      var one = Shape.of(rows, adding.candidates());
      Shape shape = noise.per() == Noise.Per.STEP ? one.insert(0, steps) : one;
      candidate = Mask.draw(rng, noise.candidate(), x, shape);
    }
    return new Masks(noise, inputs, states, outputs, kept, candidate, true);
  }
}
