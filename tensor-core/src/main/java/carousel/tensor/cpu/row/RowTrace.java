package carousel.tensor.cpu.row;

import carousel.tensor.Device;
import carousel.tensor.Scope;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.step.Graph;
import carousel.tensor.cpu.step.StepTrace;
import carousel.tensor.cpu.step.StepTrace.NotUnderstood;
import carousel.tensor.cpu.step.Value;
import carousel.tensor.op.Composite;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the body of a composite computes, if that is pointwise: elementwise rows over blocks of the
 * last axes of its inputs, {@code [N,4H]} being four blocks.
 *
 * <p>The body runs twice, on stand-ins of other rows and other numbers. What then comes out different
 * depends on how many rows there are, or reads values, and is not pointwise; a tensor that is there
 * both times was not made by the body, and may change.
 *
 * @param graph the values, each of {@code width} columns
 * @param width columns of a block
 * @param outputs the blocks of each output
 */
record RowTrace(Graph graph, int width, List<List<Value>> outputs) {
  /** Blocks of all inputs, above which nothing is gained. */
  private static final int MOST_BLOCKS = 16;

  /** The trace of a body; null if it is not pointwise. */
  static @Nullable RowTrace of(Composite.Body body, RowForm form, Device device) {
    int width = form.width();
    while (true) {
      try {
        List<Tensor> constants = new ArrayList<>();
        RowTrace trace = run(body, form, device, width, 2, constants);
        RowTrace again = run(body, form, device, width, 3, constants);
        return trace.signature().equals(again.signature()) ? trace : null;
      } catch (NotUnderstood e) {
        int narrower = RowForm.gcd(width, e.columns);
        if (narrower == width) {
          return null;
        }
        width = narrower; // as an input that is several blocks does, which alone does not tell
      }
    }
  }

  private static RowTrace run(
      Composite.Body body,
      RowForm form,
      Device device,
      int width,
      int rows,
      List<Tensor> constants) {
    Graph graph = new Graph();
    var trace = new StepTrace(graph, width);
    try (var scope = Scope.openUnwatched()) {
      int count = form.columns().length;
      Tensor[] standIns = new Tensor[count];
      int blocks = 0;
      for (int i = 0; i < count; i++) {
        standIns[i] = Tensor.empty("a trace", device, form.type(), form.shape(i, rows));
        standIns[i].fill(1.0 / rows);
        List<Value> parts = new ArrayList<>();
        for (int block = 0; block < form.columns()[i] / width; block++) {
          parts.add(form.isVector()[i] ? graph.vector(i, block) : graph.part(i, block));
        }
        trace.note(standIns[i], parts);
        blocks += parts.size();
      }
      if (blocks > MOST_BLOCKS) {
        throw new NotUnderstood();
      }
      Tensor[] results = trace.run(() -> apply(body, standIns));
      List<List<Value>> outputs = new ArrayList<>();
      for (Tensor result : results) {
        outputs.add(blocks(trace, result, form, rows, width));
      }
      for (Tensor constant : trace.constants()) {
        if (constants.contains(constant)) {
          throw new NotUnderstood();
        }
      }
      constants.addAll(trace.constants());
      return new RowTrace(graph, width, List.copyOf(outputs));
    }
  }

  private static Tensor[] apply(Composite.Body body, Tensor... standIns) {
    try {
      return body.apply(standIns);
    } catch (NotUnderstood e) {
      throw e;
    } catch (RuntimeException e) {
      throw new NotUnderstood(); // what is wrong, the body says again of the inputs themselves
    }
  }

  private static List<Value> blocks(
      StepTrace trace, Tensor result, RowForm form, int rows, int width) {
    List<Value> blocks = trace.parts(result);
    if (result.dtype() != form.type()
        || !result.shape().equals(form.shapeOf(rows, blocks.size() * width))) {
      throw new NotUnderstood();
    }
    return blocks;
  }

  /** What is computed, in words. */
  String signature() {
    return width + ":" + graph.signature() + " = " + outputs.stream().map(RowTrace::ids).toList();
  }

  private static List<Integer> ids(List<Value> values) {
    return values.stream().map(Value::id).toList();
  }
}
