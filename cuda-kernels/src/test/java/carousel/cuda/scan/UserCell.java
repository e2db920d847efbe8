package carousel.cuda.scan;

import carousel.nn.Parameter;
import carousel.nn.Parameters;
import carousel.nn.recurrent.AffineCell;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.HiddenState;
import carousel.nn.recurrent.LstmState;
import carousel.nn.recurrent.RecurrentState;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * A cell as a user may write one, whose step is given. Its state is one tensor or two, {@code [N,H]} each.
 *
 * @param label whatever it is called
 * @param states how many tensors
 * @param output which of them is the output
 * @param step the step
 * @param wx {@code [D,G·H]}
 * @param b {@code [G·H]}
 * @param weights those that the step reads, and others
 */
public record UserCell(
    String label,
    int states,
    int output,
    Step step,
    Parameter wx,
    Parameter b,
    List<Parameter> weights)
    implements AffineCell<RecurrentState> {
  public static final int INPUTS = 3;
  public static final int UNITS = 5;

  /** From z, the states and the weights to the states. */
  @FunctionalInterface
  public interface Step {
    List<Tensor> apply(Tensor z, List<Tensor> states, List<Tensor> weights);
  }

  /** A cell of so many gates, with random weights of these shapes. */
  public static UserCell of(String label, int states, int gates, Step step, int[]... shapes) {
    var rng = Philox.of(3);
    List<Parameter> weights = new ArrayList<>();
    for (int[] dims : shapes) {
      weights.add(random(rng, dims));
    }
    return new UserCell(
        label,
        states,
        0,
        step,
        random(rng, INPUTS, gates * UNITS),
        random(rng, gates * UNITS),
        weights);
  }

  private static Parameter random(Philox rng, int... dims) {
    return Parameter.of(rng.uniform(DType.F64, -0.7, 0.7, dims));
  }

  UserCell withOutput(int which) {
    return new UserCell(label, states, which, step, wx, b, weights);
  }

  /** The same, whose input comes about in another way. */
  Cell<RecurrentState> projecting(UnaryOperator<Tensor> project) {
    return new Projecting(this, project);
  }

  @Override
  public Parameters parameters() {
    List<Parameters.Named> all = new ArrayList<>();
    all.add(new Parameters.Named("wx", wx));
    all.add(new Parameters.Named("b", b));
    for (int i = 0; i < weights.size(); i++) {
      all.add(new Parameters.Named("weights." + i, weights.get(i)));
    }
    return Parameters.of(all);
  }

  @Override
  public int outputs() {
    return UNITS;
  }

  @Override
  public RecurrentState step(Tensor z, RecurrentState state) {
    List<Tensor> read = weights.stream().map(Parameter::value).toList();
    return RecurrentState.with(state, step.apply(z, state.tensors(), read));
  }

  @Override
  public RecurrentState zero(int batch) {
    Tensor zeros = wx.value().zerosLike(Shape.of(batch, UNITS));
    return states == 1 ? new HiddenState(zeros) : new LstmState(zeros, zeros);
  }

  @Override
  public Tensor output(RecurrentState state) {
    return state.tensors().get(output);
  }

  /** A cell that is not affine. */
  private record Projecting(UserCell cell, UnaryOperator<Tensor> project)
      implements Cell<RecurrentState> {
    @Override
    public Parameters parameters() {
      return cell.parameters();
    }

    @Override
    public int inputs() {
      return INPUTS;
    }

    @Override
    public int outputs() {
      return UNITS;
    }

    @Override
    public Tensor project(Tensor x) {
      return project.apply(x);
    }

    @Override
    public RecurrentState step(Tensor z, RecurrentState state) {
      return cell.step(z, state);
    }

    @Override
    public RecurrentState zero(int batch) {
      return cell.zero(batch);
    }

    @Override
    public Tensor output(RecurrentState state) {
      return cell.output(state);
    }
  }
}
