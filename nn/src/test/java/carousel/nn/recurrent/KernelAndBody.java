package carousel.nn.recurrent;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.Grad;
import carousel.autograd.Gradients;
import carousel.nn.FusedContract;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Agreement;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** A cell's kernel beside its body: op by op, as the cell is written. */
final class KernelAndBody {
  private KernelAndBody() {}

  /** Whether kernels are made of any cell: on the CPU, by the Vector API. */
  static boolean areMade() {
    return FusedContract.VECTORS && TensorScope.current().device() == Device.cpu();
  }

  /** Where there are kernels, there is one of this cell. */
  static void requireKernel(Cell<?> cell, Tensor x) {
    if (areMade()) {
      assertThat(Recurrent.of(cell).explain(x)).contains("one kernel for all steps");
    }
  }

  /** Value and gradients, by x, by all weights and by what else is given, are those of the body. */
  static void requireSame(Cell<?> cell, Tensor x, Tensor... others) {
    Supplier<Tensor> loss = () -> Recurrent.of(cell).apply(x).square().sum();
    List<Tensor> leaves = new ArrayList<>(List.of(x));
    cell.parameters().forEach(named -> leaves.add(named.value()));
    leaves.addAll(List.of(others));
    Tensor[] all = leaves.toArray(new Tensor[0]);
    var kernel = Grad.orZero(loss, all);
    var body = FusedContract.BODIES.run(() -> Grad.orZero(loss, all));
    double tolerance = x.dtype() == DType.F32 ? 1e-4 : 1e-12;
    close("loss", kernel.value(), body.value(), tolerance);
    for (int i = 0; i < all.length; i++) {
      close("gradient " + i, kernel.get(i), body.get(i), tolerance);
    }
  }

  /** As {@link #requireSame}, by the kernel alone, and to second order; returns the gradients. */
  static List<double[]> sameToSecondOrder(Cell<?> cell, Tensor x) {
    Tensor weight = Philox.of(7).normal(x.dtype(), 0, 1, 6, 4, cell.outputs());
    Supplier<Tensor> loss = () -> Recurrent.of(cell).apply(x).mul(weight).sum();
    List<Tensor> leaves = new ArrayList<>(List.of(x));
    cell.parameters().forEach(named -> leaves.add(named.value()));
    Tensor[] all = leaves.toArray(new Tensor[0]);
    List<Tensor> directions =
        leaves.stream()
            .map(t -> Philox.of(9).normal(t.dtype(), 0, 1, t.shape().toArray()))
            .toList();
    Gradients kernel = Agreement.trusting(() -> Grad.orZero(loss, all));
    List<Tensor> kernelSecond = Grad.hvp(loss, leaves, directions);
    List<Tensor> bodySecond = FusedContract.BODIES.run(() -> Grad.hvp(loss, leaves, directions));
    Gradients body = FusedContract.BODIES.run(() -> Grad.orZero(loss, all));
    double tolerance = x.dtype() == DType.F32 ? 1e-4 : 1e-11;
    close("loss", kernel.value(), body.value(), tolerance);
    List<double[]> gradients = new ArrayList<>();
    for (int i = 0; i < all.length; i++) {
      close("gradient " + i, kernel.get(i), body.get(i), tolerance);
      close("second order " + i, kernelSecond.get(i), bodySecond.get(i), tolerance);
      gradients.add(kernel.get(i).cast(DType.F64).toDoubleArray());
    }
    return gradients;
  }

  static void close(String what, Tensor actual, Tensor expected, double tolerance) {
    double size = Math.max(1, expected.abs().max().item());
    assertThat(actual.sub(expected).abs().max().item() / size).as(what).isLessThan(tolerance);
  }
}
