package carousel.testing;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.op.CustomOp;
import carousel.tensor.op.Vjp;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a rule is given, without a tape: so that outputs are numbers of their own, which differences move by
 * themselves.
 *
 * @param label of the op
 * @param given inputs, then outputs, then cotangents
 * @param inputs how many
 * @param outputs how many
 */
record RuleContext(String label, List<Tensor> given, int inputs, int outputs)
    implements Vjp.Context {
  /**
   * What the rule gives for floating inputs that something flows to, each of the shape of its input.
   *
   * @param op whose rule
   */
  Tensor[] pull(CustomOp op) {
    boolean[] wanted = new boolean[inputs];
    for (int i = 0; i < inputs; i++) {
      wanted[i] = wanted(i);
    }
    @Nullable Tensor[] pulled = op.vjp().pull(this, wanted);
    List<Tensor> all = new ArrayList<>();
    for (int i = 0; i < inputs; i++) {
      Tensor g = pulled[i];
      if (wanted[i]) {
        all.add(g == null ? in(i).zerosLike() : g.sumTo(shape(i)));
      }
    }
    return all.toArray(new Tensor[0]);
  }

  static RuleContext of(CustomOp op, Tensor[] in, Tensor[] out, Tensor[] cotangents) {
    List<Tensor> given = new ArrayList<>(Arrays.asList(in));
    given.addAll(Arrays.asList(out));
    given.addAll(Arrays.asList(cotangents));
    return new RuleContext(op.label(), given, in.length, out.length);
  }

  @Override
  public Tensor g(int output) {
    return given.get(inputs + outputs + output);
  }

  @Override
  public boolean reached(int output) {
    return out(output).dtype().isFloating();
  }

  @Override
  public boolean wanted(int input) {
    return dtype(input).isFloating();
  }

  @Override
  public Tensor in(int input) {
    return given.get(input);
  }

  @Override
  public Tensor out(int output) {
    return given.get(inputs + output);
  }

  @Override
  public Shape outputShape(int output) {
    return out(output).shape();
  }

  @Override
  public Shape shape(int input) {
    return in(input).shape();
  }

  @Override
  public DType dtype(int input) {
    return in(input).dtype();
  }

  @Override
  public Device device(int input) {
    return in(input).device();
  }
}
