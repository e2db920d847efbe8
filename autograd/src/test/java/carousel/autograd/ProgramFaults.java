package carousel.autograd;

import static carousel.autograd.Fault.normal;
import static carousel.autograd.Fault.numbers;
import static carousel.autograd.Fault.one;
import static carousel.autograd.GradReport.Kind.EMPTY;
import static carousel.autograd.GradReport.Kind.FORWARD_MODE;
import static carousel.autograd.GradReport.Kind.GRADIENT;
import static carousel.autograd.GradReport.Kind.KERNEL;
import static carousel.autograd.GradReport.Kind.LAYOUT;
import static carousel.autograd.GradReport.Kind.NOT_FINITE;
import static carousel.autograd.GradReport.Kind.NOT_REPEATABLE;
import static carousel.autograd.GradReport.Kind.PRECISION;
import static carousel.autograd.GradReport.Kind.ROUNDING;
import static carousel.autograd.GradReport.Kind.UNREAD;
import static carousel.autograd.GradReport.Kind.VALUE;
import static carousel.tensor.DType.F32;
import static carousel.tensor.DType.F64;

import carousel.tensor.Engine;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.op.CustomOp;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Vjp;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

/** Faults of programs, and of what rules take for granted: scale, state, inputs, memory, kernels, types. */
final class ProgramFaults {
  private ProgramFaults() {}

  /** x, a part of whose gradient is left out or added, through {@code detach}. */
  private static Tensor only(int element, Tensor x, UnaryOperator<Tensor> f) {
    double[] mask = new double[Math.toIntExact(x.size())];
    mask[element] = 1;
    return f.apply(x).sub(f.apply(x).detach()).mul(Tensor.of(x.shape(), mask));
  }

  static List<Fault> all() {
    var faults = new ArrayList<Fault>();
    // Scale.
    faults.add(
        Fault.of(
            "a wrong sign at scale 1e-8",
            GRADIENT,
            "input 0[",
            in -> {
              Tensor y = in[0].square().mul(1e-8);
              return y.detach().mul(2).sub(y);
            },
            one(2, 3)));
    faults.add(
        Fault.of(
            "0.05 % in one element of 600",
            GRADIENT,
            "input 0[7,23]",
            in -> in[0].sin().add(only(233, in[0], x -> x.sin().mul(5e-4))),
            one(20, 30)));
    faults.add(
        Fault.of(
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
            Fault::two));
    faults.add(
        new Fault(
            "random numbers in the program",
            NOT_REPEATABLE,
            "two runs on the same inputs differ",
            () -> {
              var rng = Philox.of(3);
              return in -> in[0].mul(rng.uniform(F64, 0, 1, 2, 3)).mul(in[1]);
            },
            Fault::two));
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
    faults.add(Fault.of("an input that is never read", UNREAD, "input 0", in -> in[1].square()));
    faults.add(
        Fault.of("no element", EMPTY, "nothing to compare", in -> in[0].square(), one(0, 3)));
    faults.add(
        Fault.of(
            "an integer where a gradient should flow",
            GRADIENT,
            "the gradient says 0",
            in -> in[0].round().add(in[0].sub(in[0].detach().round()).detach()),
            one(2, 3)));
    // Values.
    faults.add(
        Fault.of(
            "a gradient that is NaN",
            NOT_FINITE,
            "NaN",
            in -> in[0].square().sqrt(),
            numbers(1.0, 0.0)));
    faults.add(
        Fault.of("a value that is NaN", VALUE, "output[1]", in -> in[0].log(), numbers(1.0, -1.0)));
    faults.add(
        Fault.of(
            "a change that is lost in a large value",
            ROUNDING,
            "lost in the rounding",
            in -> in[0].mul(1e3).sin().mul(1e-6).sum().add(1e8),
            one(2, 3)));
    faults.add(
        Fault.of(
            "a wrong sign beside a large value",
            GRADIENT,
            "input 0[",
            in -> {
              Tensor y = in[0].mul(1e-9).sum();
              return y.detach().mul(2).sub(y).add(1e8);
            },
            one(2, 3)));
    faults.add(
        Fault.of(
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
        Fault.of(
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
        Fault.of(
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
        Fault.of(
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
        Fault.of(
            "a cotangent taken for contiguous",
            LAYOUT,
            "with a cotangent permuted",
            in -> flat.apply(in[0]),
            one(2, 3)));
    // Kernels, and types.
    faults.add(
        Fault.of(
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
        Fault.of(
            "F32 that cancels",
            PRECISION,
            "in F32",
            in -> in[0].add(1e4).square().sub(in[0].add(1e4).sub(1e-3).square()).mul(in[0]),
            () -> new Tensor[] {normal(1, 2, 3).cast(F32)}));
    faults.add(
        Fault.of(
            "F32 that is read on the host",
            GRADIENT,
            "input 0[",
            in -> in[0].mul(Tensor.of(in[0].toFloatArray())),
            () -> new Tensor[] {Tensor.of(1.1f, 2.3f)}));
    // Whole programs.
    faults.add(
        Fault.of(
            "a right value made of constants",
            GRADIENT,
            "order 2",
            in -> {
              Tensor d = in[0].detach();
              return in[0].sub(d).mul(d).mul(2).add(d.square()).sum();
            },
            one(2, 3)));
    faults.add(
        Fault.of(
            "wrong in one of several outputs",
            GRADIENT,
            "input 1[",
            in -> List.of(in[0].tanh(), in[1].square().add(in[1].detach()))));
    return faults;
  }
}
