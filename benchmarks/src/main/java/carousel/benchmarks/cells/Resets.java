package carousel.benchmarks.cells;

import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.State;
import carousel.tensor.Tensor;
import java.util.List;

/**
 * A cell whose state starts anew where a flag says so, as at the first step of an episode: before such a
 * step every tensor of the state is zero. The flag travels as the last column of the input, past the
 * cell's own features, since it belongs to a step.
 *
 * <p>All that knows of this way to carry the flags is this file.
 *
 * @param cell the cell that is reset; it starts from zeros
 * @param <S> what it carries
 */
public record Resets<S extends State>(Cell<S> cell) implements Cell<S> {

  /**
   * Runs a cell over sequences with resets, from zeros.
   *
   * @param cell the cell
   * @param x {@code [T,N,D]}
   * @param flags {@code [T,N]}, of x's type: 1 before the steps that start anew, 0 elsewhere
   * @param <S> what the cell carries
   * @return {@code [T,N,H]}
   */
  public static <S extends State> Tensor run(Cell<S> cell, Tensor x, Tensor flags) {
    Tensor flagged = Tensor.concat(Tensor.LAST, List.of(x, flags.unsqueeze(2)));
    return Recurrent.of(new Resets<>(cell)).apply(flagged);
  }

  @Override
  public int inputs() {
    return cell.inputs() + 1;
  }

  @Override
  public int outputs() {
    return cell.outputs();
  }

  @Override
  public Tensor project(Tensor x) {
    Tensor own = cell.project(x.narrow(Tensor.LAST, 0, cell.inputs()));
    return Tensor.concat(Tensor.LAST, List.of(own, x.narrow(Tensor.LAST, cell.inputs(), 1)));
  }

  @Override
  public S step(Tensor z, S state) {
    int gates = z.dim(Tensor.LAST) - 1;
    Tensor keep = z.narrow(Tensor.LAST, gates, 1).neg().add(1); // [N,1]
    return cell.step(z.narrow(Tensor.LAST, 0, gates), State.map(state, s -> s.mul(keep)));
  }

  @Override
  public S zero(int batch) {
    return cell.zero(batch);
  }

  @Override
  public Tensor output(S state) {
    return cell.output(state);
  }
}
