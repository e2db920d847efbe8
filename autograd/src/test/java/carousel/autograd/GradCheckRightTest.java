package carousel.autograd;

import static carousel.tensor.DType.BOOL;
import static carousel.tensor.DType.F32;
import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.GradReport.Verdict;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Right functions at points that are not easy: none of them is called wrong, whatever the seed. */
class GradCheckRightTest {
  /** What is right is so on every device, and ops of an emulated one take long. */
  private static final int SEEDS = Device.standard() == Device.cpu() ? 3 : 1;

  private final TensorScope scope = TensorScope.open();

  @AfterEach
  void close() {
    scope.close();
  }

  private record Right(String what, GradCheck.Program program, Tensor... inputs) {}

  private record Pair(Tensor first, List<Tensor> others, double setting) {}

  private static Tensor normal(long seed, int... dims) {
    return Philox.of(seed).normal(F64, 0, 1, dims);
  }

  private static Stream<Right> functions() {
    Tensor x = normal(1, 2, 3);
    Tensor w = normal(2, 3, 2);
    Tensor big = normal(3, 20, 30);
    return Stream.of(
        new Right("tanh(x·w)", in -> in[0].matmul(in[1]).tanh(), x, w),
        new Right("log at 1e-4", in -> in[0].log(), Tensor.of(1e-4, 2e-4, 3.0)),
        new Right("log at 1e-100", in -> in[0].log(), Tensor.of(1e-100, 1.0)),
        new Right("x² at 1e9 to 1e16", in -> in[0].square(), Tensor.of(1e9, 1e12, 1e16)),
        new Right("x at 1e16, the difference", in -> in[0].sub(1e16), Tensor.of(1e16, 1e15)),
        new Right("sin(1e4·x)", in -> in[0].mul(1e4).sin(), Tensor.of(0.3, 1.0, 2.0)),
        new Right("exp(50·x)", in -> in[0].mul(50).exp(), x),
        new Right("1/x near 0", in -> in[0].reciprocal(), Tensor.of(1e-6, -1e-5, 1.0)),
        new Right("weights of 1e-8", in -> in[0].mul(in[1]).tanh(), x, normal(5, 2, 3).mul(1e-8)),
        new Right("a large offset", in -> in[0].square().sum().add(1e8), x),
        new Right("relu at 0", in -> in[0].relu(), Tensor.of(0.0, 1.0, -2.0)),
        new Right("relu, some inputs near 0", in -> in[0].relu().square(), big.mul(big.abs())),
        new Right("|x| at 0", in -> in[0].abs(), Tensor.of(0.0, 1.0, -2.0)),
        new Right(
            "a step, at its jump", in -> in[0].heaviside().mul(in[0].add(3)), Tensor.of(0.0, 1.0)),
        new Right("max over rows", in -> in[0].max(1), big),
        new Right("max of equals", in -> in[0].max(0), Tensor.of(1.0, 1.0, 0.5)),
        new Right("rounding", in -> in[0].round().mul(in[0]), x),
        new Right("clamp", in -> in[0].clamp(-1, 1).mul(in[0]), big),
        new Right("what does not change", in -> in[0].softmax(1).sum(), x),
        new Right("saturated", in -> in[0].mul(30).sigmoid().log(), x),
        new Right("what cancels", in -> in[0].add(1e8).sub(1e8), x),
        new Right("rounded to F32 inside", in -> in[0].cast(F32).square(), Tensor.of(0.3, 0.9)),
        new Right("F32, what does not change", in -> in[0].softmax(1).mean(), x.cast(F32)),
        new Right("linear", in -> in[0].mul(3), x),
        new Right("norm near 0", in -> in[0].norm(), normal(6, 3).mul(1e-9)),
        new Right("√x near 0", in -> in[0].sqrt(), Tensor.of(1e-12, 1.0)),
        new Right("pow", in -> in[0].abs().add(0.1).pow(in[1]), x, normal(8, 2, 3)),
        new Right(
            "indices and masks",
            in -> Tensor.where(in[2], in[0].gather(in[1], 0), in[0].narrow(0, 0, 1).square()),
            x,
            Tensor.of(0, 1, 1).reshape(1, 3),
            Tensor.of(Shape.of(1, 3), true, false, true)),
        new Right("F32", in -> in[0].matmul(in[1]).tanh(), x.cast(F32), w.cast(F32)),
        new Right("F32 with constants", in -> in[0].mul(Tensor.of(1.5f)).exp().sum(), x.cast(F32)),
        new Right("F32 and F64", in -> in[0].cast(F64).mul(in[1]).sin(), x.cast(F32), x),
        new Right(
            "F32, read on the host",
            in -> {
              assertThat(in[0].toDoubleArray()).hasSize(6);
              return in[0].square();
            },
            x.cast(F32)),
        new Right(
            "an input without elements", in -> in[0].sum().add(in[1].square()), normal(1, 0), x),
        new Right(
            "inputs that share memory",
            in -> in[0].mul(in[1]),
            big.narrow(0, 0, 2),
            big.narrow(0, 1, 2)),
        new Right("one input twice", in -> in[0].mul(in[1]), x, x),
        new Right("an expanded input", in -> in[0].mul(in[1]), x, x.narrow(0, 0, 1).expand(2, 3)),
        new Right(
            "a transposed input", in -> in[0].matmul(in[1]), x, normal(9, 2, 3).transpose(0, 1)),
        new Right(
            "a record of several",
            in -> new Pair(in[0].tanh(), List.of(in[1].exp(), in[0].gt(0).cast(BOOL)), 3),
            x,
            w),
        new Right("an array of several", in -> new Tensor[] {in[0].tanh(), in[1].exp()}, x, w),
        new Right("a scalar", in -> in[0].sin(), Tensor.of(Shape.SCALAR, 0.3)),
        new Right(
            "many numbers",
            in -> in[0].unsqueeze(0).mul(in[1]).tanh(),
            normal(1, 90),
            normal(2, 80, 1)));
  }

  @TestFactory
  Stream<DynamicTest> areNotCalledWrong() {
    return functions()
        .flatMap(right ->
            LongStream.rangeClosed(1, SEEDS)
                .mapToObj(seed ->
                    DynamicTest.dynamicTest(
                        right.what() + ", seed " + seed, () -> check(right, seed))));
  }

  private static void check(Right right, long seed) {
    try (var scope = TensorScope.open()) {
      var report =
          GradCheck.standard().withSeed(seed).run(right.what(), right.program(), right.inputs());
      assertThat(report.verdict()).as("%s", report).isEqualTo(Verdict.RIGHT);
      assertThat(report.require()).isSameAs(report);
      assertThat(report.compared()).isPositive();
    }
  }
}
