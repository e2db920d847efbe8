package carousel.autograd;

import carousel.tensor.Device;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * Compares gradients with differences, to any order, and says which are wrong, and where it cannot tell.
 *
 * <pre>{@code
 * GradCheck.standard().run("scaled tanh", in -> in[0].mul(in[1]).tanh(), x, y).require();
 * GradCheck.of(() -> model.loss(x, y), model.parameters()).require();
 * }</pre>
 *
 * <p><b>Slopes.</b> Inputs are moved to both sides of the point and the slopes extrapolated, with an estimate
 * of what they are off by; the steps follow the sizes of the elements, and what the function does. A
 * gradient passes if it is within {@code relative} of the slope, or {@code absolute}, or what the slope is off
 * by. Where that does not tell (a kink, a jump, values too large for their changes to show), points
 * nearby are tried before the {@linkplain GradReport.Verdict#UNTOLD verdict is that it cannot be told}.
 *
 * <p><b>What is moved.</b> Up to twelve elements of an input by themselves; of a larger one, three random
 * directions. A fault that one element alone makes a thousand times the tolerance escapes three of them with a
 * chance of 10⁻⁸ ({@link GradReport.Order#escape}); wrong elements are then found by halving, and named. With
 * more than a million elements, directions move all inputs together.
 *
 * <p><b>Orders.</b> Order 2 takes the vjp with a fixed random cotangent for the function, and differentiates
 * that; and so on. The cotangent is an input too: order 2 holds the directional derivative {@code J·d}, which
 * is the gradient by it, to slopes, number by number.
 *
 * <p><b>Besides</b>: the type and shape of gradients; that results and gradients come out the same again, and
 * the same by kernels and by the code that they are made of; inputs that are strided, permuted and expanded in
 * memory; inputs that nobody reads; and in F32 the gradients against those in F64, in which such a program
 * is run where it can be. Inputs of other types are handed on and left alone.
 *
 * <p>Inputs and leaves are moved in place, and restored: a function may also read them where it has
 * them from. Inputs that share memory are copied first.
 *
 * @param order the highest order of derivative that is looked at
 * @param extent how much is moved
 * @param directions of an input that is moved in random directions; 0 for three
 * @param relative what a gradient may differ by, relative to the slope or itself
 * @param absolute what it may differ by in any case
 * @param noise how far results at one point may be apart, where they are random by design
 * @param seed of cotangents and directions
 * @param device where inputs are moved to; null for where they are
 * @param without the inputs and leaves that are left out: patterns of names, {@code *} for anything
 */
public record GradCheck(
    int order,
    Extent extent,
    int directions,
    double relative,
    double absolute,
    double noise,
    long seed,
    @Nullable Device device,
    List<String> without) {

  /** How much is moved. */
  public enum Extent {
    /** Small inputs element by element, others in random directions. */
    BY_SIZE,
    /** All inputs in random directions. */
    DIRECTIONS,
    /** Every element by itself. */
    ELEMENTS,
    /** Every element by itself, for every number of the result: all of the Jacobian. */
    JACOBIAN
  }

  /** A function of several tensors. */
  @FunctionalInterface
  public interface Program {
    /**
     * Computes the function.
     *
     * @param inputs the tensors it is checked by
     * @return an F32 or F64 tensor of any shape, or a record, list or array of tensors
     */
    Object apply(Tensor... inputs);
  }

  /** Checks the settings. */
  public GradCheck {
    if (order < 1 || directions < 0 || !(relative >= 0) || !(absolute >= 0) || !(noise >= 0)) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "gradCheck: wants order ≥ 1, and directions, tolerances and noise ≥ 0; got order %d,"
                  + " directions %d, relative %s, absolute %s, noise %s",
              order,
              directions,
              relative,
              absolute,
              noise));
    }
    without = List.copyOf(without);
  }

  /**
   * To second order, with a relative tolerance of 10⁻⁶ and no absolute one: what a slope is off by is
   * known.
   *
   * @return the settings
   */
  public static GradCheck standard() {
    return new GradCheck(2, Extent.BY_SIZE, 0, 1e-6, 0, 0, 1, null, List.of());
  }

  /**
   * Checks a loss by its parameters, by the standard settings.
   *
   * @param loss computes a tensor of any shape, or several
   * @param leaves what it is differentiated by, e.g. a model's parameters
   * @return what was found
   */
  public static GradReport of(Supplier<?> loss, Iterable<? extends Leaf> leaves) {
    return standard().run("the loss", loss, leaves);
  }

  /**
   * These settings with another order.
   *
   * @param order 1 for gradients, 2 for gradients of gradients too
   * @return the settings
   */
  public GradCheck withOrder(int order) {
    return new GradCheck(
        order, extent, directions, relative, absolute, noise, seed, device, without);
  }

  /**
   * These settings with another extent.
   *
   * @param extent how much is moved
   * @return the settings
   */
  public GradCheck withExtent(Extent extent) {
    return new GradCheck(
        order, extent, directions, relative, absolute, noise, seed, device, without);
  }

  /**
   * These settings with another number of random directions.
   *
   * @param directions of each input that is not moved element by element
   * @return the settings
   */
  public GradCheck withDirections(int directions) {
    return new GradCheck(
        order, extent, directions, relative, absolute, noise, seed, device, without);
  }

  /**
   * These settings with other tolerances.
   *
   * @param relative to the slope, or the gradient
   * @param absolute in any case
   * @return the settings
   */
  public GradCheck withTolerances(double relative, double absolute) {
    return new GradCheck(
        order, extent, directions, relative, absolute, noise, seed, device, without);
  }

  /**
   * These settings for programs that are random by design.
   *
   * @param noise how far two results, or gradients, at one point may be apart
   * @return the settings
   */
  public GradCheck withNoise(double noise) {
    return new GradCheck(
        order, extent, directions, relative, absolute, noise, seed, device, without);
  }

  /**
   * These settings with other cotangents and directions.
   *
   * @param seed their seed
   * @return the settings
   */
  public GradCheck withSeed(long seed) {
    return new GradCheck(
        order, extent, directions, relative, absolute, noise, seed, device, without);
  }

  /**
   * These settings on a device, to which the inputs of a function are moved.
   *
   * @param device where tensors are made while the check runs
   * @return the settings
   */
  public GradCheck withDevice(Device device) {
    return new GradCheck(
        order, extent, directions, relative, absolute, noise, seed, device, without);
  }

  /**
   * These settings without some inputs: they are not differentiated by.
   *
   * @param names of inputs, {@code input 1}, or of leaves; {@code *} stands for anything: {@code embed.*}
   * @return the settings
   */
  public GradCheck without(String... names) {
    List<String> all = new ArrayList<>(without);
    all.addAll(Arrays.asList(names));
    return new GradCheck(order, extent, directions, relative, absolute, noise, seed, device, all);
  }

  private boolean isLeftOut(String name) {
    return without.stream()
        .anyMatch(
            pattern -> Pattern.matches(Pattern.quote(pattern).replace("*", "\\E.*\\Q"), name));
  }

  /**
   * Checks a function.
   *
   * @param name what it is called in the report
   * @param program the function; must give the same of the same inputs each time
   * @param inputs where it is checked. Those of F32 and F64 are differentiated by, and moved while it runs
   * @return what was found; programs that fail by themselves throw what they throw
   */
  public GradReport run(String name, Program program, Tensor... inputs) {
    return in(() -> {
      Tensor[] given = inputs.clone();
      List<String> names = new ArrayList<>();
      List<Tensor> leaves = new ArrayList<>();
      List<Integer> places = new ArrayList<>();
      for (int i = 0; i < given.length; i++) {
        given[i] = device == null ? given[i] : given[i].to(device);
        if (given[i].dtype().isFloating() && !isLeftOut("input " + i)) {
          names.add("input " + i);
          leaves.add(given[i]);
          places.add(i);
        }
      }
      Function<Tensor[], Object> code =
          moved -> {
            Tensor[] all = given.clone();
            for (int k = 0; k < moved.length; k++) {
              all[places.get(k)] = moved[k];
            }
            return program.apply(all);
          };
      return examined(name, code, names, leaves, true);
    });
  }

  /**
   * Checks a program by what it reads.
   *
   * @param name what it is called in the report
   * @param program computes a tensor, or a record, list or array of tensors, of what the leaves hold
   * @param leaves what it is differentiated by; moved in place while it runs, and restored
   * @return what was found
   */
  public GradReport run(String name, Supplier<?> program, Iterable<? extends Leaf> leaves) {
    List<Leaf> all =
        StreamSupport.stream(leaves.spliterator(), false)
            .map(leaf -> (Leaf) leaf)
            .filter(leaf -> !isLeftOut(leaf.name()))
            .toList();
    return in(() ->
        examined(
            name,
            ignored -> program.get(),
            all.stream().map(Leaf::name).toList(),
            all.stream().map(Leaf::value).toList(),
            false));
  }

  private GradReport in(Supplier<GradReport> check) {
    try (var scope = device == null ? TensorScope.openUnwatched() : TensorScope.open(device)) {
      return check.get();
    }
  }

  private GradReport examined(
      String name,
      Function<Tensor[], ?> code,
      List<String> names,
      List<Tensor> leaves,
      boolean takesAny) {
    if (leaves.isEmpty()) {
      throw new TensorException(
          "gradCheck: " + name + " has no F32 or F64 input to be differentiated by");
    }
    return new Examination(this, Trial.of(code, names, leaves, takesAny)).run(name);
  }

  /** What tells checks of one suite apart: the order, the device, the seed. */
  @Override
  public String toString() {
    var text = new StringBuilder("order ").append(order);
    if (device != null) {
      text.append(", ").append(device.name());
    }
    return text.append(", seed ").append(seed).toString();
  }
}
