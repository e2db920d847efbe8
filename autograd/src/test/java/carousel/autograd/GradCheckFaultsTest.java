package carousel.autograd;

import static carousel.autograd.GradReport.Kind.EMPTY;
import static carousel.autograd.GradReport.Kind.FAILS;
import static carousel.autograd.GradReport.Kind.FORWARD_MODE;
import static carousel.autograd.GradReport.Kind.GRADIENT;
import static carousel.autograd.GradReport.Kind.KERNEL;
import static carousel.autograd.GradReport.Kind.LAYOUT;
import static carousel.autograd.GradReport.Kind.NOT_FINITE;
import static carousel.autograd.GradReport.Kind.NOT_LINEAR;
import static carousel.autograd.GradReport.Kind.NOT_REPEATABLE;
import static carousel.autograd.GradReport.Kind.PRECISION;
import static carousel.autograd.GradReport.Kind.ROUNDING;
import static carousel.autograd.GradReport.Kind.UNREAD;
import static carousel.autograd.GradReport.Kind.VALUE;
import static carousel.tensor.DType.F32;
import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.autograd.GradReport.Kind;
import carousel.tensor.Engine;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.CustomOp;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Vjp;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Faults as people make them, one at a time: each is found by the standard settings, as what it is. */
class GradCheckFaultsTest {
  private final TensorScope scope = TensorScope.open();

  @AfterEach
  void close() {
    scope.close();
  }

  /**
   * A program with a fault.
   *
   * @param what the fault
   * @param found what is to be found
   * @param said a part of what the report says of it
   * @param program makes the program, with state of its own
   * @param inputs makes its inputs
   */
  record Fault(
      String what,
      Kind found,
      String said,
      Supplier<GradCheck.Program> program,
      Supplier<Tensor[]> inputs) {
    @Override
    public String toString() {
      return what;
    }
  }

  private static Tensor normal(long seed, int... dims) {
    return Philox.of(seed).normal(F64, 0, 1, dims);
  }

  private static Supplier<Tensor[]> one(int... dims) {
    return () -> new Tensor[] {normal(1, dims)};
  }

  private static Supplier<Tensor[]> numbers(double... values) {
    return () -> new Tensor[] {Tensor.of(values)};
  }

  private static Tensor[] two() {
    return new Tensor[] {normal(1, 2, 3), normal(2, 2, 3)};
  }

  private static Fault fault(String what, Kind found, String said, GradCheck.Program program) {
    return new Fault(what, found, said, () -> program, GradCheckFaultsTest::two);
  }

  private static Fault fault(
      String what, Kind found, String said, GradCheck.Program program, Supplier<Tensor[]> inputs) {
    return new Fault(what, found, said, () -> program, inputs);
  }

  /** x² with a rule. */
  private static Fault rule(String what, Kind found, String said, Vjp vjp) {
    var square = CustomOp.of("square", (Tensor x) -> x.square(), vjp);
    return new Fault(
        what,
        found,
        said,
        () -> in -> square.apply(in[0].mul(in[1])).tanh(),
        GradCheckFaultsTest::two);
  }

  /** x² with a rule for x, whose true value is 2·g·x. */
  private static Fault wrong(String what, Vjp.Pull2 pull) {
    return rule(what, GRADIENT, "input 0[", Vjp.fromInput(pull));
  }

  /** x, a part of whose gradient is left out or added, through {@code detach}. */
  private static Tensor only(int element, Tensor x, UnaryOperator<Tensor> f) {
    double[] mask = new double[Math.toIntExact(x.size())];
    mask[element] = 1;
    return f.apply(x).sub(f.apply(x).detach()).mul(Tensor.of(x.shape(), mask));
  }

  static Stream<Fault> faults() {
    var faults = new ArrayList<Fault>();
    // Rules that are wrong.
    faults.add(wrong("a wrong sign", (g, x) -> g.mul(x).mul(-2)));
    faults.add(wrong("a wrong factor", (g, x) -> g.mul(x)));
    faults.add(wrong("a factor that is nearly right", (g, x) -> g.mul(x).mul(2.00001)));
    faults.add(wrong("the cotangent forgotten", (g, x) -> x.mul(2)));
    faults.add(wrong("a constant added", (g, x) -> g.mul(x).mul(2).add(g.mul(1e-3))));
    faults.add(wrong("a sign lost", (g, x) -> g.mul(x.abs()).mul(2)));
    faults.add(
        wrong(
            "one element of half the size",
            (g, x) -> g.mul(x).mul(Tensor.of(Shape.of(2, 3), 2.0, 2, 2, 2, 1, 2))));
    faults.add(wrong("the mean over rows", (g, x) -> g.mul(x).mul(2).mean(0, true).expand(2, 3)));
    faults.add(wrong("rows in reverse", (g, x) -> g.mul(x).mul(2).flip(0)));
    faults.add(wrong("a clipped cotangent", (g, x) -> g.clamp(-0.1, 0.1).mul(x).mul(2)));
    faults.add(
        wrong("rounded to F32 on the way", (g, x) -> g.cast(F32).cast(F64).mul(x).mul(1.99)));
    faults.add(
        rule(
            "no gradient at all",
            GRADIENT,
            "the gradient says 0",
            Vjp.fromInput((g, x) -> g.mul(0))));
    faults.add(rule("declared without gradient", GRADIENT, "the gradient says 0", Vjp.none()));
    // Right at first order only.
    faults.add(
        rule(
            "a rule that detaches its cotangent",
            FORWARD_MODE,
            "the gradient says 0",
            Vjp.fromInput((g, x) -> g.detach().mul(x).mul(2))));
    faults.add(
        rule(
            "a rule that detaches what it reads",
            GRADIENT,
            "order 2",
            Vjp.fromInput((g, x) -> g.mul(x.detach()).mul(2))));
    faults.add(
        rule(
            "a rule that is differentiable once",
            FAILS,
            "differentiable once",
            Vjp.once(Vjp.fromInput((g, x) -> g.mul(x).mul(2)))));
    faults.add(
        rule(
            "a rule that reads the value on the host",
            GRADIENT,
            "order 2",
            Vjp.fromInput((g, x) -> g.mul(Tensor.of(x.shape(), x.toDoubleArray())).mul(2))));
    // Gradients of another form.
    faults.add(
        rule(
            "a gradient in F32",
            FAILS,
            "F32 [2,3]",
            Vjp.fromInput((g, x) -> g.mul(x).mul(2).cast(F32))));
    faults.add(
        rule(
            "a gradient with an axis more",
            FAILS,
            "[4,2,3]",
            Vjp.fromInput((g, x) -> g.mul(x).mul(0.5).expand(4, 2, 3))));
    faults.add(
        rule(
            "a transposed gradient",
            FAILS,
            "[3,2]",
            Vjp.fromInput((g, x) -> g.mul(x).mul(2).transpose(0, 1))));
    faults.add(
        rule(
            "a gradient that was summed",
            FAILS,
            "[3]",
            Vjp.fromInput((g, x) -> g.mul(x).mul(2).sum(0))));
    // Two inputs.
    var product =
        CustomOp.of(
            "product",
            (Tensor a, Tensor b) -> a.mul(b),
            Vjp.of(
                Vjp.Rule.reading(0, (g, a) -> g.mul(a)), Vjp.Rule.reading(1, (g, b) -> g.mul(b))));
    faults.add(
        fault("gradients in each other's place", GRADIENT, "input 0[", in -> product.apply(in)));
    faults.add(
        fault(
            "one use of two that are counted",
            GRADIENT,
            "input 0[",
            in -> in[0].mul(in[1]).add(in[0].detach().sin())));
    // Scale.
    faults.add(
        fault(
            "a wrong sign at scale 1e-8",
            GRADIENT,
            "input 0[",
            in -> {
              Tensor y = in[0].square().mul(1e-8);
              return y.detach().mul(2).sub(y);
            },
            one(2, 3)));
    faults.add(
        fault(
            "0.05 % in one element of 600",
            GRADIENT,
            "input 0[7,23]",
            in -> in[0].sin().add(only(233, in[0], x -> x.sin().mul(5e-4))),
            one(20, 30)));
    faults.add(
        fault(
            "one small output of many",
            FORWARD_MODE,
            "output[0]",
            in -> {
              Tensor small = in[0].narrow(0, 0, 1).sin().mul(1e-7);
              Tensor wrong = small.detach().mul(2).sub(small);
              return Tensor.concat(List.of(wrong, in[0].mul(1e3).narrow(0, 1, 5)), 0);
            },
            one(6)));
    // State.
    faults.add(
        new Fault(
            "state that changes at every 10th call",
            NOT_REPEATABLE,
            "it has state",
            () -> {
              var calls = new AtomicInteger();
              return in -> in[0].mul(calls.incrementAndGet() % 10 == 0 ? 2 : 1).mul(in[1]);
            },
            GradCheckFaultsTest::two));
    faults.add(
        new Fault(
            "random numbers in the program",
            NOT_REPEATABLE,
            "two runs on the same inputs differ",
            () -> {
              var rng = Philox.of(3);
              return in -> in[0].mul(rng.uniform(F64, 0, 1, 2, 3)).mul(in[1]);
            },
            GradCheckFaultsTest::two));
    faults.add(
        new Fault(
            "a backward that differs at its second pull",
            NOT_REPEATABLE,
            "two backward passes",
            () -> {
              var pulls = new AtomicInteger();
              var op =
                  CustomOp.of(
                      "square",
                      (Tensor x) -> x.square(),
                      Vjp.fromInput(
                          (g, x) -> g.mul(x).mul(pulls.getAndIncrement() == 0 ? 2 : 2.5)));
              return in -> op.apply(in[0]);
            },
            one(2, 3)));
    // Inputs.
    faults.add(
        fault(
            "an input that is never read",
            UNREAD,
            "input 0",
            in -> in[1].square(),
            GradCheckFaultsTest::two));
    faults.add(fault("no element", EMPTY, "nothing to compare", in -> in[0].square(), one(0, 3)));
    faults.add(
        fault(
            "an integer where a gradient should flow",
            GRADIENT,
            "the gradient says 0",
            in -> in[0].round().add(in[0].sub(in[0].detach().round()).detach()),
            one(2, 3)));
    // Values.
    faults.add(
        fault(
            "a gradient that is NaN",
            NOT_FINITE,
            "NaN",
            in -> in[0].square().sqrt(),
            numbers(1.0, 0.0)));
    faults.add(
        fault("a value that is NaN", VALUE, "output[1]", in -> in[0].log(), numbers(1.0, -1.0)));
    faults.add(
        fault(
            "a change that is lost in a large value",
            ROUNDING,
            "lost in the rounding",
            in -> in[0].mul(1e3).sin().mul(1e-6).sum().add(1e8),
            one(2, 3)));
    faults.add(
        fault(
            "a wrong sign beside a large value",
            GRADIENT,
            "input 0[",
            in -> {
              Tensor y = in[0].mul(1e-9).sum();
              return y.detach().mul(2).sub(y).add(1e8);
            },
            one(2, 3)));
    faults.add(
        fault(
            "a wrong gradient beside a kink",
            GRADIENT,
            "input 0[1]",
            in -> in[0].relu().add(only(1, in[0], x -> x.sin())),
            numbers(0.0, 1.0, -1.0)));
    // Memory.
    var reading =
        CustomOp.of(
            "reading",
            (Tensor x) -> {
              // Takes for granted that rows lie one after the other.
              double sum = Engine.layout(x).isContiguous() ? 1 : 2;
              return x.mul(sum);
            },
            Vjp.linear(g -> g));
    faults.add(
        fault(
            "a result that depends on strides",
            LAYOUT,
            "permuted",
            in -> reading.apply(in[0]),
            one(2, 3)));
    var strided =
        CustomOp.of(
            "strided",
            (Tensor x) -> x.square(),
            Vjp.fromInput((g, x) -> g.mul(x).mul(Engine.layout(x).isContiguous() ? 2 : 1)));
    faults.add(
        fault(
            "a gradient that depends on strides",
            LAYOUT,
            "the gradient by input 0",
            in -> strided.apply(in[0]),
            one(2, 3)));
    var halves =
        CustomOp.ofAll(
            "halves",
            in -> new Tensor[] {in[0].mul(2), in[0].mul(3)},
            Vjp.of(
                Vjp.Rule.from(
                    List.of(),
                    false,
                    c -> c.reached(1) ? c.g(0).mul(2).add(c.g(1).mul(3)) : c.g(0))));
    faults.add(
        fault(
            "two outputs, of which one may not be used",
            LAYOUT,
            "output by output",
            in -> List.of(halves.applyAll(in[0])),
            one(2, 3)));
    var flat =
        CustomOp.of(
            "flat",
            (Tensor x) -> x.mul(2),
            Vjp.linear(g -> Engine.layout(g).isContiguous() ? g.mul(2) : g));
    faults.add(
        fault(
            "a cotangent taken for contiguous",
            LAYOUT,
            "with a cotangent permuted",
            in -> flat.apply(in[0]),
            one(2, 3)));
    // Kernels, and types.
    faults.add(
        fault(
            "a kernel that differs from its code",
            KERNEL,
            "the kernel differs",
            in -> {
              boolean kernels = Interpreter.current().takesKernels();
              Tensor y = in[0].square();
              return kernels ? y.add(y.sub(y.detach()).mul(1e-5)) : y;
            },
            one(2, 3)));
    faults.add(
        fault(
            "F32 that cancels",
            PRECISION,
            "in F32",
            in -> in[0].add(1e4).square().sub(in[0].add(1e4).sub(1e-3).square()).mul(in[0]),
            () -> new Tensor[] {normal(1, 2, 3).cast(F32)}));
    // Found by a reader of the documentation.
    faults.add(
        fault(
            "F32 that is read on the host",
            GRADIENT,
            "input 0[",
            in -> in[0].mul(Tensor.of(in[0].toFloatArray())),
            () -> new Tensor[] {Tensor.of(1.1f, 2.3f)}));
    var stale =
        CustomOp.of("stale", (Tensor x) -> x.square(), Vjp.linear(g -> g.mul(Tensor.of(2.0, 4.0))));
    faults.add(
        fault(
            "a rule that is right at the point alone",
            GRADIENT,
            "at another point",
            in -> stale.apply(in[0]),
            numbers(1.0, 2.0)));
    var once =
        CustomOp.of(
            "once",
            (Tensor x) -> x.square(),
            Vjp.fromInput((g, x) -> {
              if (x.get(0) != 1) {
                throw new IllegalStateException("known at 1 alone");
              }
              return g.mul(x).mul(2);
            }));
    faults.add(
        fault(
            "a rule that fails elsewhere",
            FAILS,
            "at another point, nearby: known at 1 alone",
            in -> once.apply(in[0]),
            numbers(1.0, 2.0)));
    var lost = CustomOp.of("lost", (Tensor x) -> x.abs(), Vjp.linear(g -> g.mul(0)));
    faults.add(
        fault(
            "a rule that is right where both sides cancel",
            GRADIENT,
            "at another point",
            in -> lost.apply(in[0]),
            numbers(0.0)));
    var clipped =
        CustomOp.of(
            "clipped",
            (Tensor x) -> x.square(),
            Vjp.fromInput((g, x) -> g.clamp(-2, 2).mul(x).mul(2)));
    faults.add(
        fault(
            "a clip that nothing reaches",
            NOT_LINEAR,
            "1024 times",
            in -> clipped.apply(in[0]),
            numbers(1.0, 2.0)));
    // Whole programs.
    faults.add(
        fault(
            "a right value made of constants",
            GRADIENT,
            "order 2",
            in -> {
              Tensor d = in[0].detach();
              return in[0].sub(d).mul(d).mul(2).add(d.square()).sum();
            },
            one(2, 3)));
    faults.add(
        fault(
            "wrong in one of several outputs",
            GRADIENT,
            "input 1[",
            in -> List.of(in[0].tanh(), in[1].square().add(in[1].detach()))));
    return faults.stream();
  }

  @ParameterizedTest
  @MethodSource("faults")
  void areFound(Fault fault) {
    var report =
        GradCheck.standard().run(fault.what(), fault.program().get(), fault.inputs().get());
    assertThat(report.passed()).as("%s", report).isFalse();
    assertThat(report.findings())
        .as("%s", report)
        .anySatisfy(finding -> {
          assertThat(finding.kind()).isEqualTo(fault.found());
          assertThat(finding.toString()).contains(fault.said());
        });
    assertThatThrownBy(report::require)
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("gradient of " + fault.what());
  }

  @Test
  void areAtLeastForty() {
    assertThat(faults().count()).isGreaterThanOrEqualTo(40);
  }

  @Test
  void shapesOfMistakenGradientsAreNamed() {
    var op = CustomOp.of("mine", (Tensor x) -> x.square(), Vjp.fromInput((g, x) -> g.sum(0)));
    var report = GradCheck.standard().run("mine", in -> op.apply(in[0]), one(2, 3).get());
    assertThat(report.toString()).contains("mine").contains("[3]").contains("[2,3]");
    assertThat(Shape.of(2, 3).toString()).isEqualTo("[2,3]");
  }
}
