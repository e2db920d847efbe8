package carousel.tensor.cpu.row;

import carousel.tensor.Device;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.cpu.row.RowProgram.Place;
import carousel.tensor.cpu.row.RowProgram.Result;
import carousel.tensor.cpu.row.RowProgram.Room;
import carousel.tensor.trace.Graph;
import carousel.tensor.trace.JointGraph;
import carousel.tensor.trace.RowTrace;
import carousel.tensor.trace.Value;
import carousel.tensor.trace.Value.Kind;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How a pointwise composite is computed: one program forward, one backward.
 *
 * <p>The gradient computes activations again. Inputs and outputs are held by the tape in any case;
 * five activated gates beside them would double what an LSTM's step holds until the way back.
 *
 * @param identity what is computed of inputs of that form, in words
 * @param form of the inputs
 * @param width columns of a block
 * @param outputs blocks of each output
 * @param forward from inputs to outputs
 * @param backward from inputs, outputs and cotangents to gradients
 * @param reaching for each input, the outputs whose cotangents flow to it
 * @param summed the blocks of vectors, whose gradients are summed over rows
 */
record RowPlan(
    String identity,
    RowForm form,
    int width,
    List<Integer> outputs,
    RowProgram forward,
    RowProgram backward,
    List<BitSet> reaching,
    List<Value> summed) {

  /**
   * The plan of a composite for inputs of a form; null if one of its rows has no loop.
   *
   * @throws carousel.tensor.trace.Untraced if one of the rules does what no kernel can
   */
  static @Nullable RowPlan of(RowTrace trace, RowForm form, Device device, Kernels kernels) {
    List<Result> results = new ArrayList<>();
    for (int k = 0; k < trace.outputs().size(); k++) {
      List<Value> blocks = trace.outputs().get(k);
      for (int block = 0; block < blocks.size(); block++) {
        results.add(new Result(blocks.get(block), new Place(Room.OUTPUT, k, block)));
      }
    }
    List<Value> values = results.stream().map(Result::value).toList();
    var step = JointGraph.of(trace.graph(), values, List.of(), form.type(), device);
    if (step.graph().values().stream().anyMatch(v -> v.width() > 0 && v.width() != trace.width())) {
      return null; // a rule that folds columns
    }
    Map<Value, Place> given = new HashMap<>();
    for (Value value : trace.graph().values()) {
      if (value.kind() == Kind.INPUT || value.kind() == Kind.VECTOR) {
        given.put(value, new Place(Room.INPUT, value.index(), value.offset() / trace.width()));
      } else if (value.kind() == Kind.NUMBER) {
        given.put(value, new Place(Room.NUMBER, value.index(), 0));
      }
    }
    var forward = RowProgram.of(trace.graph(), given, results, kernels, form.type());
    for (int i = 0; i < results.size(); i++) {
      Place output = results.get(i).to();
      given.putIfAbsent(values.get(i), output);
      var cotangent = new Place(Room.COTANGENT, output.index(), output.block());
      given.put(step.graph().cotangent(i, trace.width()), cotangent);
    }
    var gradients = new Flows(step, trace.width(), form);
    var backward = RowProgram.of(step.graph(), given, gradients.results, kernels, form.type());
    return forward == null || backward == null
        ? null
        : new RowPlan(
            form.type() + " " + form.columnList() + form.vectorList() + trace.signature(),
            form,
            trace.width(),
            trace.outputs().stream().map(List::size).toList(),
            forward,
            backward,
            gradients.reaching(given),
            gradients.summed);
  }

  /** What flows to the inputs. */
  private static final class Flows {
    private final List<Result> results = new ArrayList<>();
    private final List<Value> summed = new ArrayList<>();
    private final RowForm form;

    Flows(JointGraph step, int width, RowForm form) {
      this.form = form;
      Graph graph = step.graph();
      for (int i = 0; i < form.columns().length; i++) {
        boolean vector = form.isVector()[i];
        List<Value> blocks = new ArrayList<>();
        for (int block = 0; block < form.columns()[i] / width; block++) {
          Kind kind = vector ? Kind.VECTOR : Kind.INPUT;
          blocks.add(graph.given(kind, i, block * width, width));
        }
        if (blocks.stream().noneMatch(step.given()::containsKey)) {
          continue; // nothing flows to it
        }
        for (Value block : blocks) {
          Value gradient = step.given().getOrDefault(block, graph.constant(0));
          if (vector) {
            results.add(new Result(gradient, new Place(Room.SUM, summed.size(), 0)));
            summed.add(block);
          } else {
            results.add(new Result(gradient, new Place(Room.GRADIENT, i, block.offset() / width)));
          }
        }
      }
    }

    /** The outputs whose cotangents the gradients of each input are computed from. */
    List<BitSet> reaching(Map<Value, Place> given) {
      List<BitSet> reaching = new ArrayList<>();
      for (int i = 0; i < form.columns().length; i++) {
        reaching.add(new BitSet());
      }
      for (Result result : results) {
        Place to = result.to();
        int input = to.room() == Room.SUM ? summed.get(to.index()).index() : to.index();
        List<Value> open = new ArrayList<>(List.of(result.value()));
        var seen = new HashSet<Value>();
        while (!open.isEmpty()) {
          Value value = open.removeLast();
          if (value.kind() == Kind.COTANGENT) {
            reaching.get(input).set(Objects.requireNonNull(given.get(value)).index());
          } else if (seen.add(value)) {
            open.addAll(value.inputs());
          }
        }
      }
      return reaching;
    }
  }
}
