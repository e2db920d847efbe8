package carousel.nn.random;

import carousel.autograd.Grad;
import carousel.autograd.Gradients;
import carousel.nn.random.CompositeProgram.Input;
import carousel.nn.random.CompositeProgram.Run;
import carousel.nn.random.CompositeProgram.View;
import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Op;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/** A program's composite, kept as a constant is, with its tensors. */
final class CompositeRun implements Referee.Ready, Evaluation.Held {
  private final CompositeProgram program;
  private final DType type;
  private final List<Boolean> floating;
  private final List<Tensor> captured = new ArrayList<>();
  private final double[] numbers;
  private final Composite composite;
  private String kernel = "none";
  private Tensor[] inputs = new Tensor[0];

  CompositeRun(CompositeProgram program) {
    this.program = program;
    this.type = program.type();
    this.floating = program.floating();
    this.numbers = new double[program.numbers()];
    List<Integer> rows = program.calls().getFirst().rows();
    for (Capture each : program.captured()) {
      captured.add(each.make(type, Philox.of(3), shape(each.dims(), rows)));
    }
    this.composite =
        new Composite(
            program.label(), in -> Evaluation.of(program.body(), this, in).toArray(new Tensor[0]));
  }

  private static int[] shape(List<Integer> dims, List<Integer> rows) {
    return dims.stream().mapToInt(d -> d < 0 ? rows.get(-1 - d) : d).toArray();
  }

  @Override
  public Tensor weight(int index) {
    throw new IllegalStateException("a composite has no parameters");
  }

  @Override
  public Tensor captured(int index) {
    return captured.get(index);
  }

  @Override
  public double number(int index) {
    return numbers[index];
  }

  @Override
  public int calls() {
    return program.calls().size();
  }

  @Override
  public void prepare(int index, boolean anew) {
    Run call = program.calls().get(index);
    if (anew || call.fresh()) {
      int last = index > 0 && !call.fresh() ? index - 1 : index;
      var rng = Philox.of(program.seed() * 31 + 5).split(last);
      for (int i = 0; i < captured.size(); i++) {
        int[] dims = captured.get(i).shape().toArray();
        Capture each = program.captured().get(i);
        each.give(captured, i, anew, each.draw(type, rng, dims));
      }
      for (int i = 0; i < numbers.length; i++) {
        numbers[i] = Math.round(200 * rng.nextDouble() - 100) / 100.0;
      }
    }
    var rng = Philox.of(program.seed() * 31 + 6).split(index);
    List<Tensor> all = new ArrayList<>();
    for (int i = 0; i < program.inputs().size(); i++) {
      Input input = program.inputs().get(i);
      boolean same =
          input.view() == View.SAME
              && i > 0
              && program.inputs().get(i - 1).form().equals(input.form());
      all.add(same ? all.getLast() : input(input, shape(input.form().dims(), call.rows()), rng));
    }
    inputs = all.toArray(new Tensor[0]);
  }

  private Tensor input(Input input, int[] dims, Philox rng) {
    int[] made = dims.clone();
    View view = dims.length == 0 || dims[dims.length - 1] == 0 ? View.DENSE : input.view();
    if (view == View.NARROW) {
      made[made.length - 1] += 2;
    } else if (view == View.EXPANDED) {
      made[0] = 1;
    }
    Tensor x = input.form().mask() ? rng.bernoulli(0.5, made) : rng.normal(type, 0, 0.8, made);
    return switch (view) {
      case NARROW -> x.narrow(Tensor.LAST, 1, dims[dims.length - 1]);
      case EXPANDED -> x.expand(Shape.of(dims));
      default -> x;
    };
  }

  private List<Tensor> leaves() {
    List<Tensor> leaves = new ArrayList<>();
    for (Tensor x : inputs) {
      if (x.dtype().isFloating() && leaves.stream().noneMatch(y -> y == x)) {
        leaves.add(x);
      }
    }
    captured.stream().filter(x -> x.dtype().isFloating()).forEach(leaves::add);
    return leaves;
  }

  @Override
  public List<Tensor> movable(int call) {
    // What is expanded cannot be assigned.
    return leaves().stream().filter(x -> Engine.layout(x).isContiguous()).toList();
  }

  @Override
  public Outcome outcome(int index) {
    var outcome = new Outcome();
    if (Interpreter.current() == Interpreter.EAGER) {
      kernel = composite.fused(inputs) == null ? "runs by its ops" : Verdict.KERNEL;
    }
    Tensor[] outputs = Op.applyAll(composite, inputs);
    for (int i = 0; i < outputs.length; i++) {
      outcome.add("output " + i, outputs[i]);
    }
    Tensor[] leaves = leaves().toArray(new Tensor[0]);
    Supplier<Tensor> loss = () -> loss(Op.applyAll(composite, inputs), -1);
    gradients(outcome, "", loss, leaves);
    for (int i = 0; i < outputs.length; i++) {
      int only = i;
      if (outputs.length > 1 && floating.get(i)) {
        gradients(
            outcome, " of output " + i, () -> loss(Op.applyAll(composite, inputs), only), leaves);
      }
    }
    if (leaves.length > 1) {
      gradients(
          outcome,
          " alone",
          loss,
          leaves[(int) Math.floorMod(program.seed(), (long) leaves.length)]);
    }
    if (program.calls().get(index).second()) {
      var rng = Philox.of(11);
      List<Tensor> directions =
          Arrays.stream(leaves).map(x -> rng.normal(type, 0, 1, x.shape().toArray())).toList();
      List<Tensor> products = Grad.hvp(loss, List.of(leaves), directions);
      for (int i = 0; i < leaves.length; i++) {
        outcome.add("Hessian-vector product " + i, products.get(i));
      }
    }
    return outcome;
  }

  private static void gradients(
      Outcome outcome, String what, Supplier<Tensor> loss, Tensor... leaves) {
    Gradients gradients = Grad.orZero(loss, leaves);
    for (int i = 0; i < leaves.length; i++) {
      outcome.add("gradient " + i + what, gradients.get(i));
    }
  }

  /** A scalar in which every element has a weight of its own. */
  private Tensor loss(Tensor[] outputs, int only) {
    var rng = Philox.of(17);
    Tensor sum = Tensor.zeros(type).to(inputs[0].device());
    for (int i = 0; i < outputs.length; i++) {
      Tensor y = outputs[i];
      if (floating.get(i) && (only < 0 || only == i)) {
        Tensor weight = rng.normal(type, 0, 1, y.shape().toArray());
        sum = sum.add(y.mul(weight).sum()).add(y.square().mul(weight).sum());
      }
    }
    return sum;
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
