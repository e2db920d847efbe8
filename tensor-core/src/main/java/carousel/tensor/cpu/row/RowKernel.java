package carousel.tensor.cpu.row;

import carousel.tensor.Engine;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.cpu.row.RowProgram.Place;
import carousel.tensor.host.Bytes;
import carousel.tensor.spi.Fused;
import carousel.tensor.trace.Value;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A pointwise composite in one pass over memory, and its gradient in another. */
final class RowKernel implements Fused {
  /** Rows shorter than a vector, up to which they are computed. */
  private static final int MOST_NARROW = 256;

  private final RowPlan plan;
  private final int lanes;
  private final List<Double> numbers;

  /**
   * A kernel for one call.
   *
   * @param numbers those of the body at this call
   */
  RowKernel(RowPlan plan, int lanes, List<Double> numbers) {
    this.plan = plan;
    this.lanes = lanes;
    this.numbers = numbers;
  }

  /** Whether this is faster than the body: rows that do not fill a vector are copied aside. */
  boolean takes(Tensor... inputs) {
    return plan.width() >= lanes || rows(RowForm.matrix(inputs)) <= MOST_NARROW;
  }

  @Override
  public Object identity() {
    return plan.identity();
  }

  @Override
  public Result forward(Tensor[] inputs) {
    Tensor matrix = RowForm.matrix(inputs);
    Tensor[] outputs = new Tensor[plan.outputs().size()];
    for (int k = 0; k < outputs.length; k++) {
      int columns = plan.outputs().get(k) * plan.width();
      outputs[k] = empty(matrix, matrix.shape().with(matrix.rank() - 1, columns));
    }
    try (var scope = TensorScope.openUnwatched()) {
      RowProgram program = plan.forward();
      RowRun run = run(program, matrix);
      for (int p = 0; p < program.places().size(); p++) {
        Place place = program.places().get(p);
        switch (place.room()) {
          case INPUT -> read(run, p, place, inputs[place.index()]);
          case OUTPUT -> write(run, p, place, outputs[place.index()]);
          case NUMBER -> run.read(p, number(place, matrix), 0);
          default -> {
            // the run's own
          }
        }
      }
      run.cut();
      run.run(0);
    }
    return new Result(outputs, new Tensor[0]);
  }

  @Override
  public @Nullable Tensor[] backward(
      Tensor[] inputs, Result result, @Nullable Tensor[] cotangents, boolean[] wanted) {
    @Nullable Tensor[] gradients = new Tensor[inputs.length];
    boolean any = false;
    for (int i = 0; i < gradients.length; i++) {
      if (wanted[i] && isReached(i, cotangents)) {
        gradients[i] = empty(inputs[i], inputs[i].shape());
        any = true;
      }
    }
    if (!any) {
      return gradients;
    }
    try (var scope = TensorScope.openUnwatched()) {
      Tensor matrix = RowForm.matrix(inputs);
      @Nullable Tensor[] dense = new Tensor[cotangents.length];
      Tensor zeros = null;
      for (int k = 0; k < dense.length; k++) {
        Tensor g = cotangents[k];
        if (g != null) {
          dense[k] = RowForm.rowStride(Engine.layout(g)) == RowForm.NONE ? g.contiguous() : g;
        } else if (zeros == null) {
          zeros = empty(matrix, Shape.of(plan.width())).fill(0);
        }
      }
      RowProgram program = plan.backward();
      RowRun run = run(program, matrix);
      for (int p = 0; p < program.places().size(); p++) {
        Place place = program.places().get(p);
        switch (place.room()) {
          case INPUT -> read(run, p, place, inputs[place.index()]);
          case OUTPUT -> read(run, p, place, result.outputs()[place.index()]);
          case COTANGENT -> {
            Tensor g = dense[place.index()];
            if (g != null) {
              read(run, p, place, g);
            } else if (zeros != null) {
              run.read(p, Engine.address(zeros), 0);
            }
          }
          case GRADIENT -> {
            Tensor gradient = gradients[place.index()];
            if (gradient != null) {
              write(run, p, place, gradient);
            }
          }
          case NUMBER -> run.read(p, number(place, matrix), 0);
          case SUM, TEMPORARY -> {
            // the run's own
          }
        }
      }
      long bytes = run.cut();
      run.run(bytes == 0 ? 0 : memory(matrix, bytes));
      totals(run, gradients);
    }
    return gradients;
  }

  /** A row of one of the body's numbers. */
  private long number(Place place, Tensor matrix) {
    return Engine.address(empty(matrix, Shape.of(plan.width())).fill(numbers.get(place.index())));
  }

  private boolean isReached(int input, @Nullable Tensor[] cotangents) {
    return plan.reaching().get(input).stream().anyMatch(k -> cotangents[k] != null);
  }

  /** The gradients of vectors. */
  private void totals(RowRun run, @Nullable Tensor[] gradients) {
    for (int s = 0; s < plan.summed().size(); s++) {
      Value block = plan.summed().get(s);
      Tensor gradient = gradients[block.index()];
      if (gradient == null) {
        continue;
      }
      double[] totals = new double[plan.width()];
      run.total(s, totals);
      int size = gradient.dtype().bytes();
      long to = Engine.address(gradient) + (long) block.offset() * size;
      for (int column = 0; column < totals.length; column++) {
        if (size == Float.BYTES) {
          Bytes.f32(to + 4L * column, (float) totals[column]);
        } else {
          Bytes.f64(to + 8L * column, totals[column]);
        }
      }
    }
  }

  private RowRun run(RowProgram program, Tensor matrix) {
    return new RowRun(program, rows(matrix), plan.width(), lanes, matrix.dtype().bytes());
  }

  private static long rows(Tensor matrix) {
    return matrix.size() / matrix.dim(Tensor.LAST);
  }

  private void read(RowRun run, int p, Place place, Tensor x) {
    run.read(p, first(place, x), step(x));
  }

  private void write(RowRun run, int p, Place place, Tensor x) {
    run.write(p, first(place, x), step(x));
  }

  private long first(Place place, Tensor x) {
    return Engine.address(x) + (long) place.block() * plan.width() * x.dtype().bytes();
  }

  private static long step(Tensor x) {
    return RowForm.rowStride(Engine.layout(x)) * x.dtype().bytes();
  }

  private static Tensor empty(Tensor like, Shape shape) {
    return Engine.empty("pointwise", like.device(), like.dtype(), shape);
  }

  /** Memory of the current scope. */
  private static long memory(Tensor like, long bytes) {
    return Engine.address(empty(like, Shape.of(Math.toIntExact(bytes / like.dtype().bytes()))));
  }
}
