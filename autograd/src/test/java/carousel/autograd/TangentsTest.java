package carousel.autograd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.tensor.contract.Devices;
import carousel.tensor.contract.OpCase;
import carousel.tensor.contract.OpCases;
import carousel.tensor.op.Op;
import carousel.tensor.op.Transfer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Forward mode against the backward one, whose rules are held to differences: {@code ⟨w, J·v⟩ = ⟨Jᵀ·w, v⟩}. */
class TangentsTest {
  private TensorScope test;

  @BeforeEach
  void open() {
    test = TensorScope.open();
  }

  @AfterEach
  void close() {
    test.close();
  }

  /** Every op of the catalogue, in every arrangement of its cases, by all its inputs at once. */
  @TestFactory
  Stream<DynamicTest> everyOp() {
    return Devices.underTest().stream()
        .map(device ->
            DynamicTest.dynamicTest(
                device.name(),
                () -> {
                  try (var scope = TensorScope.open(device)) {
                    OpCases.smooth()
                        .filter(c -> !(c.op() instanceof Transfer) || device == Device.cpu())
                        .forEach(TangentsTest::check);
                  }
                }));
  }

  private static void check(OpCase c) {
    try (var scope = TensorScope.open(TensorScope.current().device())) {
      Tensor[] inputs = c.inputs();
      List<Tensor> by = new ArrayList<>();
      for (int i = 0; i < inputs.length; i++) {
        if (c.differentiable(i)) {
          by.add(inputs[i]);
        }
      }
      agree(c.toString(), () -> weighed(Op.applyAll(c.op(), inputs)), by);
    }
  }

  /** A scalar in which every floating number has a weight of its own. */
  private static Tensor weighed(Tensor... outputs) {
    Tensor sum = null;
    for (Tensor y : outputs) {
      if (y.dtype().isFloating()) {
        Tensor w = Philox.of(17).normal(y.dtype(), 0, 1, y.shape().toArray()).to(y.device());
        Tensor term = y.mul(w).cast(DType.F64).sum();
        sum = sum == null ? term : sum.add(term);
      }
    }
    return Objects.requireNonNull(sum);
  }

  private static void agree(String what, Supplier<Tensor> loss, List<Tensor> by) {
    List<Tensor> directions =
        by.stream()
            .map(x -> Philox.of(5).normal(x.dtype(), 0, 1, x.shape().toArray()).to(x.device()))
            .toList();
    var forward = Grad.jvp(loss, by, directions);
    Gradients back = Grad.orZero(loss, by.toArray(new Tensor[0]));
    double wanted = 0;
    double size = 0;
    boolean narrow = false;
    for (int i = 0; i < by.size(); i++) {
      Tensor terms = back.get(i).mul(directions.get(i)).cast(DType.F64);
      wanted += terms.sum().item();
      size += terms.abs().sum().item();
      narrow |= by.get(i).dtype() == DType.F32;
    }
    assertThat(Math.abs(forward.derivative().item() - wanted))
        .as("%s: %s, wanted %s", what, forward.derivative().item(), wanted)
        .isLessThanOrEqualTo((narrow ? 1e-5 : 1e-12) * (size + 1));
    assertThat(forward.value().item()).as(what).isEqualTo(back.value().item());
  }

  private static Tensor random(long seed, int... dims) {
    return Philox.of(seed).normal(DType.F64, 0, 1, dims);
  }

  @Test
  void programs() {
    Tensor x = random(1, 3, 4);
    Tensor w = random(2, 4, 4);
    agree(
        "a recurrence",
        () -> {
          Tensor h = x;
          for (int t = 0; t < 20; t++) {
            h = h.matmul(w).tanh().add(x.mul(h.sigmoid()));
          }
          return h.square().mean();
        },
        List.of(x, w));
    agree("one tensor in two places", () -> x.mul(x).add(x.linearScan(x, 1)).sum(), List.of(x));
    agree("parts of it detached", () -> x.mul(x.detach()).sum(), List.of(x));
    agree(
        "composites",
        () -> x.logSumExp(1).add(x.variance(1)).add(x.pNorm(3, 1)).add(x.prod(1)).sum(),
        List.of(x));
    agree(
        "a checkpoint, and a scope of its own",
        () -> {
          try (var inner = TensorScope.open()) {
            return inner.keep(Grad.checkpoint(() -> x.exp().mul(w.narrow(0, 0, 3))).sum());
          }
        },
        List.of(x, w));
    agree("nothing of it", () -> w.sum(), List.of(x));
    agree(
        "a gradient inside",
        () -> Grad.of(() -> x.matmul(w).tanh().square().sum(), x).get(0).mul(x).sum(),
        List.of(x, w));
  }

  /** {@code x³} has the third derivative 6, by three passes and by forward over reverse. */
  @Test
  void itselfAndBackwardOverIt() {
    Tensor x = Tensor.of(2.0, -3.0);
    Tensor one = x.onesLike();
    UnaryOperator<Tensor> cube = in -> in.mul(in).mul(in);
    UnaryOperator<Tensor> first = in -> Grad.jvp(cube, in, one);
    UnaryOperator<Tensor> second = in -> Grad.jvp(first, in, one);
    assertThat(first.apply(x).toDoubleArray()).containsExactly(12, 27);
    assertThat(second.apply(x).toDoubleArray()).containsExactly(12, -18);
    assertThat(Grad.jvp(second, x, one).toDoubleArray()).containsExactly(6, 6);
    assertThat(Grad.of(() -> second.apply(x).sum(), x).get(0).toDoubleArray())
        .containsExactly(6, 6);
    Tensor hessian =
        Grad.jvp(in -> Grad.of(() -> cube.apply(in).sum(), in).get(0), x, Tensor.of(1.0, 10.0));
    assertThat(hessian.toDoubleArray()).containsExactly(12, -180);
  }

  @Test
  void memoryIsThatOfTheValuesInUse() {
    Tensor x = random(1, 200, 50);
    var memory = x.device().backend().memory();
    memory.resetPeak();
    long before = memory.inUse();
    var unused =
        Grad.jvp(
            () -> {
              Tensor h = x;
              for (int t = 0; t < 300; t++) {
                try (var step = TensorScope.open()) {
                  h = step.keep(h.tanh().mul(0.9));
                }
              }
              return h;
            },
            List.of(x),
            List.of(x));
    long each = x.size() * 8;
    // The values that go from step to step, and their derivatives, until the program ends.
    assertThat(memory.peak() - before).isLessThan(each * (300 * 4 + 20));
    assertThat(memory.inUse() - before).isLessThanOrEqualTo(2 * each + 4096);
  }

  @Test
  void aTensorThatIsThereTwiceMovesByBoth() {
    Tensor x = Tensor.of(1.0, 2.0);
    var moved = Grad.jvp(() -> x.mul(3), List.of(x, x), List.of(x, Tensor.of(10.0, 20.0)));
    assertThat(moved.derivative().toDoubleArray()).containsExactly(33, 66);
  }

  @Test
  void wrongUse() {
    Tensor x = Tensor.of(1.0, 2.0);
    Tensor whole = Tensor.of(1, 2);
    assertThatThrownBy(() -> Grad.jvp(in -> in.mul(2), whole, whole))
        .hasMessage("jvp: tensor 0 is I32 [2]; only F32 and F64 tensors have derivatives");
    assertThatThrownBy(() -> Grad.jvp(in -> in.cast(DType.I32), x, x))
        .hasMessageStartingWith("jvp: the value is I32 [2]");
    assertThatThrownBy(() -> Grad.jvp(x::sum, List.of(x), List.of()))
        .isInstanceOf(TensorException.class)
        .hasMessage("jvp: 1 tensors and 0 directions; give one for each");
    assertThatThrownBy(() -> Grad.jvp(() -> x.zerosLike().assign(x.exp()), List.of(x), List.of(x)))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("a write is no op");
    assertThatThrownBy(() ->
            Grad.jvp(
                () -> {
                  Tensor y = x.exp();
                  y.fill(1);
                  return y.square();
                },
                List.of(x),
                List.of(x)))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("was changed in place");
    assertThatThrownBy(() -> Grad.jvp(x::sum, List.of(x), List.of(Tensor.of(1.0))))
        .hasMessageContaining("F64 [2]")
        .hasMessageContaining("F64 [1]");
  }
}
