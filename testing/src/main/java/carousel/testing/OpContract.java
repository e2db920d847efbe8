package carousel.testing;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.TensorException;
import carousel.tensor.op.CustomOp;
import java.util.ArrayList;
import java.util.List;

/**
 * What an op of a user's own owes, as one call from a test.
 *
 * <pre>{@code
 * class MyOpsTest {
 *   static final CustomOp SOFTSIGN =
 *       CustomOp.of(
 *           "softsign",
 *           x -> x.div(x.abs().add(1)),
 *           Vjp.fromInput((g, x) -> g.div(x.abs().add(1).square())));
 *
 *   static final CustomOp STRAIGHT =
 *       CustomOp.of("straightRound", Tensor::round, Vjp.linear(g -> g));
 *
 *   @Test
 *   void softsignKeepsTheContract() {
 *     OpContract.of(SOFTSIGN).input("n h").check();
 *   }
 *
 *   @Test
 *   void straightRoundKeepsTheContract() {
 *     OpContract.of(STRAIGHT).input("n h").surrogate().check();
 *   }
 * }
 * }</pre>
 *
 * <p><b>Inputs.</b> Letters are axes, and take sizes 5, 3, 7, 1, 0 and 67, alone and together; {@code "n 4h"}
 * is {@code [n, 4·h]}, {@code "n 3"} is {@code [n,3]}, {@code ""} a scalar. In F64, and in F32.
 *
 * <p><b>Forward and rule</b>, on every device that is there: the results and gradients of the reference
 * device; in F32 those of F64, to 10⁻³; the same for inputs that are transposed, cut out with a stride,
 * backwards and expanded, with NaN around them; inputs stay as they are; twice the same. Two results are the
 * same to {@code units} roundings of the greatest element of the tensor.
 *
 * <p><b>The gradient</b> in F64, on the standard device: by {@link carousel.autograd.GradCheck}, to second
 * order, and to first order at every size. Where the rule is not the derivative ({@link #surrogate}) it is held to itself: it is linear in
 * what arrives, and its own derivative is that of differences of the rule.
 *
 * <p><b>Where ops are used</b>: under {@code Grad.checkpoint}, {@code Grad.jvp} and {@code Anomaly}, and in a
 * composite, by its kernel and by its body.
 *
 * @param op the op
 * @param operands its inputs
 * @param types the floating types that it is tried in
 * @param sizes of axes that are letters
 * @param order the highest order of gradient that is held to differences
 * @param isDerivative whether the rule is the derivative of the forward
 * @param isOnce whether the rule can be differentiated once only
 * @param isLinear whether what the rule gives is linear in what arrives
 * @param units how many roundings results may be apart
 */
public record OpContract(
    CustomOp op,
    List<Input> operands,
    List<DType> types,
    List<Integer> sizes,
    int order,
    boolean isDerivative,
    boolean isOnce,
    boolean isLinear,
    double units) {

  /**
   * An input.
   *
   * @param axes as {@code "n 4h"}
   * @param values where its numbers come from
   * @param low the least of them; both 0 for standard normal ones
   * @param high the greatest; of indices, one more than the greatest
   */
  public record Input(String axes, Values values, double low, double high) {
    /** Checks the axes. */
    public Input {
      var unused = new Operand(axes, null, low, high);
    }

    Operand operand() {
      DType type =
          switch (values) {
            case FLOATING -> null;
            case INDICES -> DType.I32;
            case MASK -> DType.BOOL;
          };
      return new Operand(axes, type, low, high);
    }
  }

  /** What an input holds. */
  public enum Values {
    /** Floating numbers, of the type that is tried. */
    FLOATING,
    /** I32 from 0. */
    INDICES,
    /** BOOL. */
    MASK
  }

  /** Checks the settings. */
  public OpContract {
    operands = List.copyOf(operands);
    types = List.copyOf(types);
    sizes = List.copyOf(sizes);
    if (types.isEmpty() || !types.stream().allMatch(DType::isFloating) || sizes.isEmpty()) {
      throw new TensorException(
          "opContract: wants floating types and sizes, got " + types + " and " + sizes);
    }
  }

  /**
   * The contract of an op whose rule is its derivative, without inputs as yet.
   *
   * @param op the op
   * @return the contract; say what its inputs are, and {@link #check}
   */
  public static OpContract of(CustomOp op) {
    return new OpContract(
        op,
        List.of(),
        List.of(DType.F64, DType.F32),
        List.of(5, 3, 7, 1, 0, 67),
        2,
        true,
        false,
        true,
        64);
  }

  /**
   * One more input, of standard normal numbers.
   *
   * @param axes {@code "n h"}
   * @return the contract
   */
  public OpContract input(String axes) {
    return with(new Input(axes, Values.FLOATING, 0, 0));
  }

  /**
   * One more input, of numbers that are as likely everywhere between two.
   *
   * @param axes {@code "n h"}
   * @param low the least
   * @param high the greatest
   * @return the contract
   */
  public OpContract input(String axes, double low, double high) {
    return with(new Input(axes, Values.FLOATING, low, high));
  }

  /**
   * One more input, I32.
   *
   * @param axes {@code "n"}
   * @param count its numbers are in {@code [0, count)}
   * @return the contract
   */
  public OpContract indices(String axes, int count) {
    return with(new Input(axes, Values.INDICES, 0, count));
  }

  /**
   * One more input, BOOL.
   *
   * @param axes {@code "n h"}
   * @return the contract
   */
  public OpContract mask(String axes) {
    return with(new Input(axes, Values.MASK, 0, 1));
  }

  private OpContract with(Input input) {
    List<Input> all = new ArrayList<>(operands);
    all.add(input);
    return new OpContract(op, all, types, sizes, order, isDerivative, isOnce, isLinear, units);
  }

  /**
   * This contract in some types only.
   *
   * @param only F32 or F64
   * @return the contract
   */
  public OpContract withTypes(DType... only) {
    return new OpContract(
        op, operands, List.of(only), sizes, order, isDerivative, isOnce, isLinear, units);
  }

  /**
   * This contract with other sizes of axes, e.g. none of 0, for an op that reduces.
   *
   * @param others all that an axis may have
   * @return the contract
   */
  public OpContract withSizes(Integer... others) {
    return new OpContract(
        op, operands, types, List.of(others), order, isDerivative, isOnce, isLinear, units);
  }

  /**
   * This contract with gradients held to differences to another order.
   *
   * @param highest 1 for gradients alone
   * @return the contract
   */
  public OpContract withOrder(int highest) {
    return new OpContract(
        op, operands, types, sizes, highest, isDerivative, isOnce, isLinear, units);
  }

  /**
   * This contract with another tolerance.
   *
   * @param roundings how many of them, of the greatest element, results may be apart; 64 unless said
   * @return the contract
   */
  public OpContract withUnits(double roundings) {
    return new OpContract(
        op, operands, types, sizes, order, isDerivative, isOnce, isLinear, roundings);
  }

  /**
   * For a rule that is not the derivative, by design: a surrogate, a straight-through estimator, clipping,
   * reversal.
   *
   * @return the contract
   */
  public OpContract surrogate() {
    return new OpContract(op, operands, types, sizes, order, false, isOnce, isLinear, units);
  }

  /**
   * For a rule that is declared with {@code Vjp.once}: a gradient of its gradient is an error that names
   * the op.
   *
   * @return the contract
   */
  public OpContract once() {
    return new OpContract(op, operands, types, sizes, 1, isDerivative, true, isLinear, units);
  }

  /**
   * For a surrogate that is not linear in what arrives, as one that clips it. Zeros are zeros all the same.
   *
   * @return the contract
   */
  public OpContract nonlinear() {
    return new OpContract(op, operands, types, sizes, order, false, isOnce, false, units);
  }

  /**
   * Runs it all.
   *
   * @return what was looked at
   * @throws AssertionError if anything does not hold, naming the op, the inputs, the device and both
   *     values
   * @throws TensorException if no input is given
   */
  public ContractReport check() {
    if (operands.isEmpty()) {
      throw new TensorException(
          "opContract: "
              + op.label()
              + " has no inputs; give them with input(\"n h\") and its like");
    }
    var findings = new Findings();
    List<Device> devices = new ArrayList<>();
    for (Device device : Devices.named()) {
      String absent = Devices.absence(device);
      if (absent == null) {
        devices.add(device);
      } else {
        findings.note(device + " skipped: " + absent);
      }
    }
    List<Operand> inputs = operands.stream().map(Input::operand).toList();
    for (DType type : types) {
      List<OpCase> cases = OpCase.all(inputs, type, sizes);
      new OpResults(this, findings, devices).check(cases);
    }
    // Differences say little of an op that computes something else each time; and what a wrong rule
    // does
    // elsewhere is no news.
    if (findings.areNone()) {
      DType widest = types.contains(DType.F64) ? DType.F64 : DType.F32;
      List<OpCase> cases = OpCase.all(inputs, widest, sizes);
      var gradient = new OpGradient(this, findings);
      gradient.check(cases.getFirst());
      if (findings.areNone()) {
        gradient.checkSizes(cases.subList(1, cases.size()));
      }
    }
    if (findings.areNone()) {
      for (DType type : types) {
        OpCase first = OpCase.all(inputs, type, sizes).getFirst();
        devices.forEach(device -> new OpUses(this, findings).check(first, device));
      }
    }
    return findings.report(op.label());
  }
}
