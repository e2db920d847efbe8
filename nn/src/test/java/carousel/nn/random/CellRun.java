package carousel.nn.random;

import carousel.autograd.Grad;
import carousel.autograd.Gradients;
import carousel.nn.Parameter;
import carousel.nn.Training;
import carousel.nn.random.CellProgram.Direction;
import carousel.nn.recurrent.Bidirectional;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.RecurrentState;
import carousel.nn.recurrent.Sequence;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Scan;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A program's layer, with its tensors. */
final class CellRun implements Referee.Ready {
  private final CellProgram program;
  private final DType type;
  private final List<ProgramCell> cells = new ArrayList<>();
  private final Map<String, Parameter> parameters = new LinkedHashMap<>();
  private final List<Tensor> captured = new ArrayList<>();
  private final double[] numbers;
  private final Sequence layer;
  private String kernel = "none";

  /** Made for each call. */
  private Tensor x;

  private List<RecurrentState> initial = List.of();

  CellRun(CellProgram program) {
    this.program = program;
    this.type = program.type();
    this.numbers = new double[program.numbers()];
    int rows = program.calls().getFirst().rows();
    for (Capture each : program.captured()) {
      captured.add(each.make(type, Philox.of(3), shape(each.dims(), rows)));
    }
    boolean both = program.direction() == Direction.BOTH;
    for (String side : both ? List.of("", "reverse ") : List.of("")) {
      cells.add(cell(side));
    }
    this.layer = layer();
    this.x = Tensor.zeros(type, 0, 0, 0);
  }

  private ProgramCell cell(String side) {
    List<Parameter> weights = new ArrayList<>();
    for (int i = 0; i < program.weights().size(); i++) {
      weights.add(parameter(side + "w" + i, shape(program.weights().get(i), 0)));
    }
    var content = new ProgramCell.Content(program, weights, captured, numbers);
    Parameter wx = parameter(side + "wx", program.inputs(), program.gates());
    return ProgramCell.of(content, wx, parameter(side + "b", program.gates()));
  }

  private Parameter parameter(String name, int... dims) {
    var parameter = Parameter.of(() -> Tensor.zeros(type, dims));
    parameters.put(name, parameter);
    return parameter;
  }

  private Sequence layer() {
    List<Recurrent<RecurrentState>> layers = new ArrayList<>();
    for (ProgramCell cell : cells) {
      boolean reverse = layers.size() == 1 || program.direction() == Direction.REVERSE;
      Recurrent<RecurrentState> one = reverse ? Recurrent.reverse(cell) : Recurrent.of(cell);
      layers.add(program.learned() ? one.withLearnedStart() : one);
    }
    for (int k = 0; k < layers.size(); k++) {
      for (int i = 0; i < layers.get(k).start().size(); i++) {
        parameters.put("start " + k + "." + i, layers.get(k).start().get(i));
      }
    }
    return layers.size() == 1 ? layers.getFirst() : new Bidirectional(layers.get(0), layers.get(1));
  }

  private static int[] shape(List<Integer> dims, int rows) {
    return dims.stream().mapToInt(d -> d < 0 ? rows : d).toArray();
  }

  @Override
  public int calls() {
    return program.calls().size();
  }

  @Override
  public void prepare(int index, boolean anew) {
    Call call = program.calls().get(index);
    // What is not fresh is as it was: of the same seed.
    var rng = Philox.of(program.seed() * 31 + 7);
    if (anew || call.fresh().contains(Call.Fresh.WEIGHTS)) {
      var own = rng.split(seeds(index, Call.Fresh.WEIGHTS));
      for (Parameter parameter : parameters.values()) {
        int[] dims = parameter.value().shape().toArray();
        double size = dims.length == 2 ? 1.2 / Math.sqrt(Math.max(1, dims[0])) : 0.9;
        parameter.assign(own.uniform(type, -size, size, dims));
      }
    }
    if (anew || call.fresh().contains(Call.Fresh.CAPTURED)) {
      var own = rng.split(100 + seeds(index, Call.Fresh.CAPTURED));
      for (int i = 0; i < captured.size(); i++) {
        int[] dims = captured.get(i).shape().toArray();
        Capture each = program.captured().get(i);
        each.give(captured, i, anew, each.draw(type, own, dims));
      }
    }
    if (anew || call.fresh().contains(Call.Fresh.NUMBERS)) {
      var own = rng.split(200 + seeds(index, Call.Fresh.NUMBERS));
      for (int i = 0; i < numbers.length; i++) {
        numbers[i] = Math.round(200 * own.nextDouble() - 100) / 100.0;
      }
    }
    x = Inputs.of(call, program.inputs(), type, rng.split(300 + index));
    initial = call.given() ? states(call, rng.split(400 + index)) : List.of();
  }

  /** The last call up to this that something was fresh for. */
  private int seeds(int index, Call.Fresh what) {
    int last = index;
    while (last > 0 && !program.calls().get(last).fresh().contains(what)) {
      last--;
    }
    return last;
  }

  private List<RecurrentState> states(Call call, Philox rng) {
    List<RecurrentState> all = new ArrayList<>();
    for (ProgramCell cell : cells) {
      all.add(
          RecurrentState.map(
              cell.zero(call.rows()), zero -> rng.normal(type, 0, 0.5, zero.shape().toArray())));
    }
    return all;
  }

  private Map<String, Tensor> leaves() {
    Map<String, Tensor> leaves = new LinkedHashMap<>();
    leaves.put("x", x);
    for (RecurrentState state : initial) {
      for (Tensor tensor : state.tensors()) {
        leaves.put("initial state " + leaves.size(), tensor);
      }
    }
    parameters.forEach((name, parameter) -> leaves.put(name, parameter.value()));
    for (int i = 0; i < captured.size(); i++) {
      if (captured.get(i).dtype().isFloating()) {
        leaves.put("captured " + i, captured.get(i));
      }
    }
    return leaves;
  }

  @Override
  public List<Tensor> movable(int call) {
    return List.copyOf(leaves().values());
  }

  @Override
  public Outcome outcome(int index) {
    Call call = program.calls().get(index);
    var outcome = new Outcome();
    Sequence.Run run = watched(() -> run(call));
    outcome.add("y", run.y());
    outcome.add("last", run.last());
    for (RecurrentState state : run.states()) {
      state.tensors().forEach(tensor -> outcome.add("state after the run", tensor));
    }
    Map<String, Tensor> leaves = leaves();
    Tensor[] all = leaves.values().toArray(new Tensor[0]);
    List<String> names = List.copyOf(leaves.keySet());
    Supplier<Tensor> loss = () -> loss(call, run(call));
    Gradients gradients = Grad.orZero(loss, all);
    outcome.add("loss", gradients.value());
    for (int i = 0; i < all.length; i++) {
      outcome.add("gradient of " + names.get(i), gradients.get(i));
    }
    if (call.second()) {
      var rng = Philox.of(11);
      List<Tensor> directions = new ArrayList<>();
      for (Tensor leaf : all) {
        directions.add(rng.normal(type, 0, 1, leaf.shape().toArray()));
      }
      List<Tensor> products = Grad.hvp(loss, List.of(all), directions);
      for (int i = 0; i < all.length; i++) {
        outcome.add("Hessian-vector product for " + names.get(i), products.get(i));
      }
    }
    return outcome;
  }

  /** The one place where the layer is called. */
  private Sequence.Run run(Call call) {
    @Nullable Tensor lengths =
        call.lengths().isEmpty()
            ? null
            : Tensor.of(call.lengths().stream().mapToInt(Integer::intValue).toArray());
    return call.training()
        ? Training.with(Philox.of(9), () -> layer.run(x, initial, lengths))
        : Training.without(() -> layer.run(x, initial, lengths));
  }

  /** A scalar in which every element has a weight of its own. */
  private static Tensor loss(Call call, Sequence.Run run) {
    List<Tensor> read = new ArrayList<>();
    switch (call.wanted()) {
      case OUTPUTS -> read.add(run.y());
      case STATES -> run.states().forEach(state -> read.addAll(state.tensors()));
      case LAST -> read.add(run.last());
      case ONE_STATE -> read.add(run.states().getLast().tensors().getLast());
      case EVERYTHING -> {
        read.addAll(List.of(run.y(), run.last()));
        run.states().forEach(state -> read.addAll(state.tensors()));
      }
    }
    var rng = Philox.of(17);
    Tensor sum = run.y().zerosLike(Shape.SCALAR);
    for (Tensor y : read) {
      Tensor weight = rng.normal(y.dtype(), 0, 1, y.shape().toArray());
      sum = sum.add(y.mul(weight).sum()).add(y.square().mul(weight).sum());
    }
    return sum;
  }

  /** Notes whether there is a kernel, unless another interpreter is at work. */
  private Sequence.Run watched(Supplier<Sequence.Run> run) {
    if (Interpreter.current() != Interpreter.EAGER) {
      return run.get();
    }
    kernel = "runs by its ops";
    Interpreter watch =
        (op, inputs) -> {
          if (op instanceof Composite composite && composite.body() instanceof Scan) {
            kernel = composite.fused(inputs) == null ? "no kernel for the scan" : Verdict.KERNEL;
          }
          return Interpreter.EAGER.apply(op, inputs);
        };
    return watch.run(run);
  }

  @Override
  public String kernel() {
    return kernel;
  }

  @Override
  public int threads(int call) {
    return program.calls().get(call).threads();
  }

  @Override
  public DType type() {
    return type;
  }
}
