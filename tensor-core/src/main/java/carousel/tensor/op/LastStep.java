package carousel.tensor.op;

import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.spi.Fused;
import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * The gradient of a recurrence at whose last step other values are reached than before: that of this step by itself, and
 * that of the steps before it, which begin with what flows to their state, and with nothing where nothing does.
 */
public final class LastStep {
  private final Scan scan;
  private final Tensor[] given;

  /** Where the last step stands, and where the first of the others. */
  private final int last;

  private final int first;

  private LastStep(Scan scan, Tensor... given) {
    this.scan = scan;
    this.given = given;
    this.last = scan.reverse() ? 0 : scan.steps() - 1;
    this.first = scan.reverse() ? 1 : 0;
  }

  /**
   * Pulls cotangents back, step by step from the end until all steps before are alike.
   *
   * @param scan of two steps or more
   * @param given its inputs
   * @param cotangents one per output; null where nothing flows
   * @param wanted per input, whether its gradient is needed
   * @param kernels of recurrences over parts of the inputs
   * @return one gradient per input, in the current scope; null where not wanted
   */
  public static @Nullable Tensor[] backward(
      Scan scan,
      Tensor[] given,
      @Nullable Tensor[] cotangents,
      boolean[] wanted,
      BiFunction<Scan, Tensor[], Fused> kernels) {
    return Interpreter.EAGER.run(() -> {
      try (var scope = TensorScope.openUnwatched()) {
        var parts = new LastStep(scan, given);
        @Nullable Tensor[] gradients = parts.pull(cotangents, wanted, kernels);
        for (Tensor gradient : gradients) {
          if (gradient != null) {
            scope.keep(gradient);
          }
        }
        return gradients;
      }
    });
  }

  private @Nullable Tensor[] pull(
      @Nullable Tensor[] cotangents, boolean[] wanted, BiFunction<Scan, Tensor[], Fused> kernels) {
    int rest = scan.steps() - 1;
    int states = scan.inputs().states();
    Tensor[] before = part(first, rest);
    Fused earlier = kernels.apply(scan.over(rest), before);
    Fused.Result begun = earlier.forward(before);
    Tensor[] at = part(last, 1);
    boolean[] wantedHere = wanted.clone();
    for (int k = 0; k < cotangents.length - 1; k++) {
      at[states + k] = begun.outputs()[1 + k];
      wantedHere[states + k] = true;
    }
    Fused own = kernels.apply(scan.over(1), at);
    @Nullable Tensor[] arriving = cotangents.clone();
    arriving[0] = narrow(cotangents[0], last, 1);
    @Nullable Tensor[] here = own.backward(at, own.forward(at), arriving, wantedHere);
    Set<Integer> read = scan.step().readBy(cotangents[0] != null, Scan.ofStates(cotangents));
    @Nullable Tensor[] flowing = new Tensor[cotangents.length];
    flowing[0] = narrow(cotangents[0], first, rest);
    for (int k = 0; k < cotangents.length - 1; k++) {
      boolean stays = scan.inputs().ragged() && cotangents[1 + k] != null;
      flowing[1 + k] = read.contains(k) || stays ? here[states + k] : null;
    }
    @Nullable Tensor[] there = earlier.backward(before, begun, flowing, wanted);
    for (int i = 0; i < there.length; i++) {
      there[i] = joined(i, there[i], here[i]);
    }
    return there;
  }

  private static @Nullable Tensor narrow(@Nullable Tensor y, int from, int count) {
    return y == null ? null : y.narrow(0, from, count);
  }

  /** The inputs at some of the steps. */
  private Tensor[] part(int from, int count) {
    Tensor[] part = given.clone();
    for (int place : scan.inputs().sequences()) {
      if (place >= 0) {
        part[place] = given[place].narrow(0, from, count);
      }
    }
    if (scan.inputs().ragged()) {
      int place = scan.inputs().lengths();
      part[place] = given[place].sub(from).maximum(0).minimum(count);
    }
    return part;
  }

  /** What is there at every step has both gradients one beside the other, a state that of the first, all else both. */
  private @Nullable Tensor joined(int input, @Nullable Tensor there, @Nullable Tensor here) {
    int state = input - scan.inputs().states();
    if (there == null || here == null || (state >= 0 && state < scan.step().state().size())) {
      return there;
    }
    if (scan.inputs().sequences().contains(input)) {
      return Tensor.concat(scan.reverse() ? List.of(here, there) : List.of(there, here), 0);
    }
    return there.add(here);
  }
}
