package carousel.nn.random;

import static carousel.tensor.op.Unary.NEG;
import static carousel.tensor.op.Unary.TANH;

import carousel.tensor.Tensor;
import carousel.tensor.op.CustomOp;
import carousel.tensor.op.Op;
import carousel.tensor.op.Unary;
import carousel.tensor.op.Vjp;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * An op of a program's own, with a rule that is not its derivative.
 *
 * @param kind what it is given, and gives
 * @param row what it computes, mostly
 * @param slope what its rule multiplies by, mostly; a function of the inputs
 * @param factor a number of the rule
 */
record OwnOp(Kind kind, Op row, Unary slope, double factor) implements CustomOp {
  /** What an op is given, what it computes, and what flows back. */
  enum Kind {
    /** A row with a slope of its own. */
    OF_ONE(1, 1),
    /** A row whose gradient is clipped: no linear rule. */
    CLIPPED(1, 1),
    /** A row that nothing flows through. */
    STOPPING(1, 1),
    /** A row of two; they may be of any sizes that go together. */
    OF_TWO(2, 1),
    /** Reads the second input in its rule alone, and lets something flow to it. */
    IGNORING(2, 1),
    /** Two outputs, and one rule for both inputs that reads everything. */
    PAIR(2, 2),
    /** Without the mean, in its rule too. */
    CENTRED(1, 1);

    private final int inputs;
    private final int outputs;

    Kind(int inputs, int outputs) {
      this.inputs = inputs;
      this.outputs = outputs;
    }

    int inputs() {
      return inputs;
    }

    int outputs() {
      return outputs;
    }
  }

  @Override
  public Tensor[] forward(Tensor... in) {
    return switch (kind) {
      case OF_ONE, CLIPPED, STOPPING, IGNORING -> new Tensor[] {Op.apply(row, in[0])};
      case OF_TWO -> new Tensor[] {Op.apply(row, in[0], in[1])};
      case PAIR -> new Tensor[] {Op.apply(row, in[0]), in[0].mul(in[1])};
      case CENTRED -> new Tensor[] {in[0].sub(in[0].mean(Tensor.LAST, true))};
    };
  }

  @Override
  public Vjp vjp() {
    return switch (kind) {
      case OF_ONE -> Vjp.fromInput((g, x) -> g.mul(slope(x)).mul(factor));
      case CLIPPED -> Vjp.linear(g -> g.clamp(-factor, factor));
      case STOPPING -> Vjp.none();
      case OF_TWO ->
          Vjp.of(
              Vjp.Rule.reading(1, (g, b) -> g.mul(slope(b)).mul(factor)),
              Vjp.Rule.reading(0, 1, (g, a, b) -> g.mul(slope(a).add(b))));
      case IGNORING ->
          Vjp.of(
              Vjp.Rule.linear(g -> g.mul(factor)),
              Vjp.Rule.reading(0, 1, (g, a, b) -> g.mul(slope(a)).sub(g.mul(b))));
      case PAIR ->
          Vjp.joint(c -> {
            Tensor both = c.g(0).mul(c.in(1)).add(c.g(1).mul(slope(c.in(0))));
            Tensor second = c.wanted(1) ? c.g(1).mul(c.out(0)).mul(factor) : null;
            return new Tensor[] {both, second};
          });
      case CENTRED -> Vjp.linear(g -> g.sub(g.mean(Tensor.LAST, true)).mul(factor));
    };
  }

  private Tensor slope(Tensor x) {
    return Op.apply(slope, x);
  }

  /** Ops that compute the same, and let something else flow. */
  Stream<OwnOp> others() {
    return switch (kind) {
      case STOPPING -> Stream.of(new OwnOp(Kind.OF_ONE, row, slope, factor));
      case OF_ONE -> Stream.of(new OwnOp(kind, row, slope == TANH ? NEG : TANH, factor));
      default -> Stream.of(new OwnOp(kind, row, slope == TANH ? NEG : TANH, 2 * factor));
    };
  }

  /** As a user would write it. */
  String source() {
    String of = row instanceof Unary ? "Unary." : "Binary.";
    return String.format(
        Locale.ROOT, "new OwnOp(OwnOp.Kind.%s, %s%s, Unary.%s, %s)", kind, of, row, slope, factor);
  }
}
