package carousel.cuda;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.Grad;
import carousel.nn.Init;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Cells;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.State;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Scope;
import carousel.tensor.Tensor;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Op;
import carousel.tensor.spi.Fused;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One run of a cell's composite by its kernel on a device, held against its body on the CPU: outputs and
 * all gradients.
 */
record RecurrentCase(
    String cell,
    DType type,
    int steps,
    int rows,
    int inputs,
    int units,
    boolean reverse,
    List<Integer> lengths) {

  /** Runs every composite by its body. */
  private static final Interpreter BODIES =
      (op, inputs) ->
          op instanceof Composite composite
              ? composite.body().apply(inputs)
              : Interpreter.EAGER.apply(op, inputs);

  static RecurrentCase of(String cell, DType type, int steps, int rows, int inputs, int units) {
    return new RecurrentCase(cell, type, steps, rows, inputs, units, false, List.of());
  }

  RecurrentCase reversed() {
    return new RecurrentCase(cell, type, steps, rows, inputs, units, true, lengths);
  }

  RecurrentCase ragged(Integer... ends) {
    return new RecurrentCase(cell, type, steps, rows, inputs, units, reverse, List.of(ends));
  }

  /** Who has kernels: a device, or a launcher of other sources. */
  @FunctionalInterface
  interface Kernels {
    @Nullable Fused of(Composite op, Tensor... inputs);
  }

  /** A composite, and what it was applied to. */
  private record Applied(Composite op, Tensor... inputs) {
    private boolean isDifferentiable(int input) {
      return inputs[input].dtype().isFloating();
    }
  }

  /**
   * What differs between the device's kernel and the body.
   *
   * @param suffix which of the cell's composites: {@code .scan} or {@code .gates}
   * @param silent the output that gets no cotangent; −1 for none
   */
  List<String> differences(Device device, String suffix, int silent) {
    return differences(device, device.backend()::fused, suffix, silent);
  }

  /** The same, of kernels that run on the device's tensors. */
  List<String> differences(Device device, Kernels kernels, String suffix, int silent) {
    try (var scope = Scope.open()) {
      Applied applied = apply(suffix);
      int count = applied.inputs().length;
      Tensor[] there = new Tensor[count];
      boolean[] wanted = new boolean[count];
      List<Tensor> leaves = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        there[i] = applied.inputs()[i].to(device);
        wanted[i] = applied.isDifferentiable(i);
        if (wanted[i]) {
          leaves.add(applied.inputs()[i]);
        }
      }
      Fused fused =
          Objects.requireNonNull(
              kernels.of(applied.op(), there), () -> applied.op().label() + " has a kernel");
      Fused.Result result = fused.forward(there);

      Tensor[] outputs = BODIES.run(() -> applied.op().body().apply(applied.inputs()));
      List<String> found = new ArrayList<>();
      var rng = Philox.of(11);
      @Nullable Tensor[] cotangents = new Tensor[outputs.length];
      Tensor[] weights = new Tensor[outputs.length];
      for (int k = 0; k < outputs.length; k++) {
        compare(found, "output " + k, result.outputs()[k], outputs[k]);
        weights[k] = rng.normal(type, 0, k == silent ? 0 : 1, outputs[k].shape().toArray());
        cotangents[k] = k == silent ? null : weights[k].to(device);
      }
      @Nullable Tensor[] gradients = fused.backward(there, result, cotangents, wanted);
      var expected =
          BODIES.run(() ->
              Grad.of(
                  () -> {
                    Tensor[] out = applied.op().body().apply(applied.inputs());
                    Tensor sum = out[0].mul(weights[0]).sum();
                    for (int k = 1; k < out.length; k++) {
                      sum = sum.add(out[k].mul(weights[k]).sum());
                    }
                    return sum;
                  },
                  leaves.toArray(new Tensor[0])));
      int leaf = 0;
      for (int i = 0; i < count; i++) {
        if (wanted[i]) {
          Tensor gradient = Objects.requireNonNull(gradients[i]);
          compare(found, "gradient of input " + i, gradient, expected.get(leaf++));
        } else {
          assertThat(gradients[i]).as("gradient of input %d", i).isNull();
        }
      }
      return found;
    }
  }

  private void compare(List<String> found, String what, Tensor actual, Tensor expected) {
    double tolerance = type == DType.F32 ? 2e-4 : 1e-11;
    Tensor here = actual.to(Device.cpu());
    double size = Math.max(1, expected.abs().max().item());
    double off = here.sub(expected).abs().max().item() / size;
    if (!(off < tolerance)) {
      found.add(what + " of " + expected.shape() + " is off by " + off);
    }
  }

  /** Runs the layer on the CPU, as far as the composite. */
  private Applied apply(String suffix) {
    var rng = Philox.of(7);
    Cell<?> made = Cells.of(cell, inputs, units, Init.uniform(0.5).as(type), rng);
    for (var named : made.parameters()) {
      named.value().assign(rng.uniform(type, -0.5, 0.5, named.value().shape().toArray()));
    }
    Recurrent<?> layer = reverse ? Recurrent.reverse(made) : Recurrent.of(made);
    Tensor x = rng.normal(type, 0, 1, steps, rows, inputs);
    List<Tensor> start = new ArrayList<>();
    for (Tensor zero : made.zero(rows).tensors()) {
      start.add(rng.normal(type, 0, 0.5, zero.shape().toArray()));
    }
    State initial = State.with(made.zero(rows), start);
    Tensor ends =
        lengths.isEmpty()
            ? null
            : Tensor.of(lengths.stream().mapToInt(Integer::intValue).toArray());
    var outside = Scope.current();
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
          return Interpreter.EAGER.apply(op, in);
        };
    try (var run = Scope.openUnwatched()) {
      watch.run(() -> layer.run(x, List.of(initial), ends));
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
