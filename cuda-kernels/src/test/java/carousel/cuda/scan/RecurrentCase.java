package carousel.cuda.scan;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.Grad;
import carousel.nn.init.Init;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Cells;
import carousel.nn.recurrent.Marks;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.RecurrentState;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Op;
import carousel.tensor.op.Scan;
import carousel.tensor.spi.Fused;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One run of a cell's composite by its kernel on a device, held against its body on the CPU: outputs and
 * all gradients.
 */
public record RecurrentCase(
    String cell,
    DType type,
    int steps,
    int rows,
    int inputs,
    int units,
    boolean reverse,
    List<Integer> lengths) {

  /** Behind a cell's name: the cell without its biases. */
  static final String WITHOUT_BIAS = " without bias";

  /** Runs every composite by its body. */
  public static final Interpreter BODIES =
      (op, inputs) ->
          op instanceof Composite composite
              ? composite.body().apply(inputs)
              : Interpreter.EAGER.apply(op, inputs);

  public static RecurrentCase of(
      String cell, DType type, int steps, int rows, int inputs, int units) {
    return new RecurrentCase(cell, type, steps, rows, inputs, units, false, List.of());
  }

  public RecurrentCase reversed() {
    return new RecurrentCase(cell, type, steps, rows, inputs, units, true, lengths);
  }

  public RecurrentCase ragged(Integer... ends) {
    return new RecurrentCase(cell, type, steps, rows, inputs, units, reverse, List.of(ends));
  }

  /** Who has kernels: a device, or a launcher of other sources. */
  @FunctionalInterface
  public interface Kernels {
    @Nullable Fused of(Composite op, Tensor... inputs);
  }

  /** A composite, and what it was applied to. */
  private record Applied(Composite op, Tensor... inputs) {
    private boolean isDifferentiable(int input, boolean biased) {
      boolean zeros = !biased && input == Scan.Inputs.B; // which no weight stands behind
      return inputs[input].dtype().isFloating() && !zeros;
    }
  }

  private boolean biased() {
    return !cell.endsWith(WITHOUT_BIAS);
  }

  /** A cell by its name. */
  private Cell<?> made(Init init) {
    if (biased()) {
      return Cells.of(cell, inputs, units, init, Philox.of(1));
    }
    String name = cell.substring(0, cell.length() - WITHOUT_BIAS.length());
    Cell<?> with = Cells.of(name, inputs, units, init, Philox.of(1));
    try {
      return (Cell<?>) with.getClass().getMethod("withoutBias").invoke(with);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("every cell has withoutBias()", e);
    }
  }

  /**
   * What kernels are held against: their bodies, computed on the CPU.
   *
   * @param arithmetic how
   * @param type in which type
   * @param tolerance by how much results may be off, relative to the largest of a tensor, or to 1
   */
  record Oracle(Interpreter arithmetic, DType type, double tolerance) {}

  /**
   * What differs between the device's kernel and the body.
   *
   * @param suffix which of the cell's composites: {@code .scan} or {@code .gates}
   * @param silent the output that gets no cotangent; −1 for none
   */
  public List<String> differences(Device device, String suffix, int silent) {
    return differences(device, device.backend()::fused, suffix, silent);
  }

  /** The same, of kernels that run on the device's tensors. */
  public List<String> differences(Device device, Kernels kernels, String suffix, int silent) {
    var body = new Oracle(BODIES, type, type == DType.F32 ? 2e-4 : 1e-11);
    return differences(device, kernels, suffix, silent, body);
  }

  /** The same, against what an oracle computes. */
  public List<String> differences(
      Device device, Kernels kernels, String suffix, int silent, Oracle oracle) {
    try (var scope = TensorScope.open()) {
      var actual = byKernel(apply(suffix, type), device, kernels, silent);
      var expected = byBody(apply(suffix, oracle.type()), oracle, silent);
      assertThat(actual.keySet()).isEqualTo(expected.keySet());
      List<String> found = new ArrayList<>();
      expected.forEach((name, values) -> {
        Tensor there = Objects.requireNonNull(actual.get(name)).cast(oracle.type());
        double size = Math.max(1, values.abs().max().item());
        double off = there.sub(values).abs().max().item() / size;
        if (!(off < oracle.tolerance())) {
          found.add(name + " of " + values.shape() + " is off by " + off);
        }
      });
      return found;
    }
  }

  /** The composite of the whole sequence. */
  Composite scan() {
    return apply(".scan", type).op();
  }

  /** All that the device's kernel gives for {@code .scan}, by name. */
  Map<String, double[]> results(Device device) {
    try (var scope = TensorScope.open()) {
      Map<String, double[]> results = new LinkedHashMap<>();
      byKernel(apply(".scan", type), device, device.backend()::fused, -1)
          .forEach((name, values) -> results.put(name, values.toDoubleArray()));
      return results;
    }
  }

  /** Outputs and gradients as the kernel computes them, on the CPU. */
  private Map<String, Tensor> byKernel(
      Applied applied, Device device, Kernels kernels, int silent) {
    int count = applied.inputs().length;
    Tensor[] there = new Tensor[count];
    boolean[] wanted = new boolean[count];
    for (int i = 0; i < count; i++) {
      there[i] = applied.inputs()[i].to(device);
      wanted[i] = applied.isDifferentiable(i, biased());
    }
    Fused fused =
        Objects.requireNonNull(
            kernels.of(applied.op(), there), () -> applied.op().label() + " has a kernel");
    Fused.Result result = fused.forward(there);
    @Nullable Tensor[] cotangents = cotangents(result.outputs(), type, silent);
    Map<String, Tensor> all = new LinkedHashMap<>();
    for (int k = 0; k < cotangents.length; k++) {
      all.put("output " + k, result.outputs()[k].to(Device.cpu()));
      Tensor cotangent = cotangents[k];
      cotangents[k] = cotangent == null ? null : cotangent.to(device);
    }
    @Nullable Tensor[] gradients = fused.backward(there, result, cotangents, wanted);
    for (int i = 0; i < count; i++) {
      Tensor gradient = gradients[i];
      assertThat(gradient != null).as("gradient of input %d", i).isEqualTo(wanted[i]);
      if (gradient != null) {
        all.put("gradient of input " + i, gradient.to(Device.cpu()));
      }
    }
    return all;
  }

  /** The same, as an oracle computes them. */
  private Map<String, Tensor> byBody(Applied applied, Oracle oracle, int silent) {
    Tensor[] inputs = applied.inputs();
    List<Tensor> leaves = new ArrayList<>();
    for (int i = 0; i < inputs.length; i++) {
      if (applied.isDifferentiable(i, biased())) {
        leaves.add(inputs[i]);
      }
    }
    Map<String, Tensor> all = new LinkedHashMap<>();
    var gradients =
        oracle
            .arithmetic()
            .run(() ->
                Grad.of(
                    () -> {
                      Tensor[] outputs = applied.op().body().apply(inputs);
                      @Nullable Tensor[] cotangents = cotangents(outputs, oracle.type(), silent);
                      Tensor sum = Tensor.zeros(oracle.type());
                      for (int k = 0; k < outputs.length; k++) {
                        all.put("output " + k, outputs[k]);
                        Tensor cotangent = cotangents[k];
                        sum = cotangent == null ? sum : sum.add(outputs[k].mul(cotangent).sum());
                      }
                      return sum;
                    },
                    leaves.toArray(new Tensor[0])));
    int leaf = 0;
    for (int i = 0; i < inputs.length; i++) {
      if (applied.isDifferentiable(i, biased())) {
        all.put("gradient of input " + i, gradients.get(leaf++));
      }
    }
    return all;
  }

  /** The gradient of some sum with respect to outputs; null for the silent one. */
  private @Nullable Tensor[] cotangents(Tensor[] outputs, DType computed, int silent) {
    var rng = Philox.of(11);
    @Nullable Tensor[] cotangents = new Tensor[outputs.length];
    for (int k = 0; k < outputs.length; k++) {
      if (k != silent) {
        cotangents[k] = rng.normal(type, 0, 1, outputs[k].shape().toArray()).cast(computed);
      }
    }
    return cotangents;
  }

  /** Runs the layer on the CPU, as far as the composite: in some type, with numbers of this case's type. */
  private Applied apply(String suffix, DType computed) {
    Cell<?> made = made(Init.uniform(0.5).as(computed));
    var rng = Philox.of(7);
    for (var named : made.parameters()) {
      int[] dims = named.value().shape().toArray();
      named.value().assign(rng.uniform(type, -0.5, 0.5, dims).cast(computed));
    }
    Recurrent<?> layer = reverse ? Recurrent.reverse(made) : Recurrent.of(made);
    Tensor x = rng.normal(type, 0, 1, steps, rows, inputs).cast(computed);
    List<Tensor> start = new ArrayList<>();
    for (Tensor zero : made.zero(rows).tensors()) {
      start.add(rng.normal(type, 0, 0.5, zero.shape().toArray()).cast(computed));
    }
    var initial = RecurrentState.with(made.zero(rows), start);
    Tensor ends =
        lengths.isEmpty()
            ? null
            : Tensor.of(lengths.stream().mapToInt(Integer::intValue).toArray());
    var outside = TensorScope.current();
    Applied[] found = new Applied[1];
    Interpreter watch =
        (Op op, Tensor... in) -> {
          if (op instanceof Composite composite) {
            if (composite.label().endsWith(suffix) && found[0] == null) {
              found[0] = new Applied(composite, in.clone());
              Arrays.stream(in).forEach(outside::adopt);
            }
            return composite.body().apply(in);
          }
          Tensor[] out = Interpreter.EAGER.apply(op, in);
          // A body reads more than its inputs: what the run has made before.
          Arrays.stream(out).forEach(outside::adopt);
          return out;
        };
    try (var run = TensorScope.openUnwatched()) {
      watch.run(() -> layer.run(x, Marks.ofLengths(ends), List.of(initial)));
      return Objects.requireNonNull(found[0], () -> cell + " runs as " + suffix);
    }
  }

  @Override
  public String toString() {
    return String.format(
        "%s %s [%d,%d,%d] H=%d%s%s",
        cell,
        type,
        steps,
        rows,
        inputs,
        units,
        reverse ? " reverse" : "",
        lengths.isEmpty()
            ? ""
            : lengths.stream().map(String::valueOf).collect(joining(",", " lengths ", "")));
  }
}
