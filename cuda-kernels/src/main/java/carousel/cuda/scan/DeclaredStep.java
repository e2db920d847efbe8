package carousel.cuda.scan;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Engine;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Scan;
import carousel.tensor.trace.Recent;
import carousel.tensor.trace.ScanTrace;
import carousel.tensor.trace.Traced;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The step of a cell that has kernels, as traced for some H by who traces the steps of scans: so equal steps
 * have equal graphs, whatever a trace looks like, also where a width of 1 makes a difference.
 *
 * @param traced the graph
 * @param weights the names of the tensors that it captures
 */
record DeclaredStep(Traced traced, List<String> weights) {
  private static final int MOST_KNOWN = 1000;
  private static final Map<Key, DeclaredStep> KNOWN = new Recent<>(MOST_KNOWN);

  /** Any number but 1, which would be a width, too. */
  private static final int ROWS = 2;

  private record Key(RecurrentCell cell, int hidden, boolean vectors) {}

  /**
   * The step of a cell of so many units.
   *
   * @param vectors whether it has its vectors, which some cells may be without
   */
  static DeclaredStep of(RecurrentCell cell, int hidden, boolean vectors) {
    synchronized (KNOWN) {
      return KNOWN.computeIfAbsent(
          new Key(cell, hidden, vectors),
          key -> Interpreter.EAGER.run(() -> trace(cell, hidden, vectors)));
    }
  }

  private static DeclaredStep trace(RecurrentCell cell, int hidden, boolean vectors) {
    try (var holding = TensorScope.openUnwatched()) {
      List<Tensor> states = new ArrayList<>();
      for (int i = 0; i < cell.states(); i++) {
        states.add(zeros(Shape.of(ROWS, hidden)));
      }
      Map<String, Tensor> weights = new LinkedHashMap<>();
      for (CellWeight weight : cell.weights()) {
        if (weight.isVector() && !vectors) {
          continue;
        }
        // Nobody reads a matrix: one number stands for all.
        Shape shape = weight.shape(hidden);
        weights.put(
            weight.name(), weight.isVector() ? zeros(shape) : zeros(Shape.of(1, 1)).expand(shape));
      }
      Tensor z = zeros(Shape.of(1, 1, 1)).expand(Shape.of(1, ROWS, cell.gates() * hidden));
      var given = new Scan.Given(List.of(new Scan.Sequence(z)), states, null, 1, ROWS);
      var byName = new CellSteps.Weights(weights);
      try (var tracing = TensorScope.openUnwatched()) {
        Scan.Call call =
            ScanTrace.of(
                (in, before) -> withOutput(cell.step().apply(in[0], before, byName)),
                given,
                tracing);
        List<String> captured = new ArrayList<>();
        for (int place : call.places().captured()) {
          captured.add(nameOf(call.inputs().get(place), weights));
        }
        return new DeclaredStep(call.step(), List.copyOf(captured));
      }
    }
  }

  private static Tensor zeros(Shape shape) {
    Tensor zeros = Engine.empty("step", Device.cpu(), DType.F32, shape);
    zeros.device().backend().fill(zeros, 0);
    return zeros;
  }

  /** The output is the first state. */
  private static Tensor[] withOutput(Tensor... states) {
    List<Tensor> all = new ArrayList<>(List.of(states));
    all.addFirst(states[0]);
    return all.toArray(new Tensor[0]);
  }

  /** What a trace captures may be a view of what was given. */
  private static String nameOf(Tensor captured, Map<String, Tensor> weights) {
    for (var weight : weights.entrySet()) {
      if (Engine.storage(weight.getValue()) == Engine.storage(captured)) {
        return weight.getKey();
      }
    }
    throw new IllegalStateException("a step captures what is none of its weights");
  }
}
