package carousel.tensor.cpu.row;

import carousel.tensor.Device;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.cpu.row.RowProgram.Place;
import carousel.tensor.cpu.row.RowProgram.Result;
import carousel.tensor.cpu.row.RowProgram.Room;
import carousel.tensor.cpu.step.Graph;
import carousel.tensor.cpu.step.Step;
import carousel.tensor.cpu.step.Value;
import carousel.tensor.cpu.step.Value.Kind;
import carousel.tensor.op.Composite;
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
 * @param form of the inputs
 * @param width columns of a block
 * @param outputs blocks of each output
 * @param forward from inputs to outputs
 * @param backward from inputs, outputs and cotangents to gradients
 * @param reaching for each input, the outputs whose cotangents flow to it
 * @param summed the blocks of vectors, whose gradients are summed over rows
 */
record RowPlan(
    RowForm form,
    int width,
    List<Integer> outputs,
    RowProgram forward,
    RowProgram backward,
    List<BitSet> reaching,
    List<Value> summed) {

  /** The plan of a composite for inputs of a form; null if there is none. */
  static @Nullable RowPlan of(Composite.Body body, RowForm form, Device device, Kernels kernels) {
    RowTrace trace = RowTrace.of(body, form, device);
    if (trace == null) {
      return null;
    }
    List<Result> results = new ArrayList<>();
    for (int k = 0; k < trace.outputs().size(); k++) {
      List<Value> blocks = trace.outputs().get(k);
      for (int block = 0; block < blocks.size(); block++) {
        results.add(new Result(blocks.get(block), new Place(Room.OUTPUT, k, block)));
      }
    }
    List<Value> values = results.stream().map(Result::value).toList();
    Step step = Step.of(trace.graph(), values, form.type(), device);
    if (step == null) {
      return null;
    }
    Map<Value, Place> given = new HashMap<>();
    for (Value value : trace.graph().values()) {
      if (value.kind() == Kind.PART || value.kind() == Kind.VECTOR) {
        given.put(value, new Place(Room.INPUT, value.index(), value.chunk()));
      }
    }
    RowProgram forward = RowProgram.of(trace.graph(), given, results, kernels, form.type());
    for (int i = 0; i < results.size(); i++) {
      Place output = results.get(i).to();
      given.putIfAbsent(values.get(i), output);
      Place cotangent = new Place(Room.COTANGENT, output.index(), output.block());
      given.put(step.graph().cotangent(i), cotangent);
    }
    var gradients = new Gradients(step, trace.width(), form);
    RowProgram backward =
        RowProgram.of(step.graph(), given, gradients.results, kernels, form.type());
    return forward == null || backward == null
        ? null
        : new RowPlan(
            form,
            trace.width(),
            trace.outputs().stream().map(List::size).toList(),
            forward,
            backward,
            gradients.reaching(given),
            gradients.summed);
  }

  /** What flows to the inputs. */
  private static final class Gradients {
    private final List<Result> results = new ArrayList<>();
    private final List<Value> summed = new ArrayList<>();
    private final RowForm form;

    Gradients(Step step, int width, RowForm form) {
      this.form = form;
      Graph graph = step.graph();
      for (int i = 0; i < form.columns().length; i++) {
        boolean vector = form.isVector()[i];
        List<Value> blocks = new ArrayList<>();
        for (int block = 0; block < form.columns()[i] / width; block++) {
          blocks.add(vector ? graph.vector(i, block) : graph.part(i, block));
        }
        if (blocks.stream().noneMatch(step.vectors()::containsKey)) {
          continue; // nothing flows to it
        }
        for (Value block : blocks) {
          Value gradient = step.vectors().getOrDefault(block, graph.constant(0));
          if (vector) {
            results.add(new Result(gradient, new Place(Room.SUM, summed.size(), 0)));
            summed.add(block);
          } else {
            results.add(new Result(gradient, new Place(Room.GRADIENT, i, block.chunk())));
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
