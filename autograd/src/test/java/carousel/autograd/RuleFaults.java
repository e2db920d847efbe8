package carousel.autograd;

import static carousel.autograd.Fault.numbers;
import static carousel.autograd.GradReport.Kind.FAILS;
import static carousel.autograd.GradReport.Kind.FORWARD_MODE;
import static carousel.autograd.GradReport.Kind.GRADIENT;
import static carousel.autograd.GradReport.Kind.NOT_LINEAR;
import static carousel.tensor.DType.F32;
import static carousel.tensor.DType.F64;

import carousel.autograd.GradReport.Kind;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.op.CustomOp;
import carousel.tensor.op.Vjp;
import java.util.ArrayList;
import java.util.List;

/** Rules with faults as people make them. */
final class RuleFaults {
  private RuleFaults() {}

  /** x² with a rule. */
  private static Fault rule(String what, Kind found, String said, Vjp vjp) {
    var square = CustomOp.of("square", (Tensor x) -> x.square(), vjp);
    return Fault.of(what, found, said, in -> square.apply(in[0].mul(in[1])).tanh());
  }

  /** x² with a rule for x, whose true value is 2·g·x. */
  private static Fault wrong(String what, Vjp.Pull2 pull) {
    return rule(what, GRADIENT, "input 0[", Vjp.fromInput(pull));
  }

  static List<Fault> all() {
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
        Fault.of("gradients in each other's place", GRADIENT, "input 0[", in -> product.apply(in)));
    faults.add(
        Fault.of(
            "one use of two that are counted",
            GRADIENT,
            "input 0[",
            in -> in[0].mul(in[1]).add(in[0].detach().sin())));
    // Right where it is looked at, and wrong elsewhere.
    var stale =
        CustomOp.of("stale", (Tensor x) -> x.square(), Vjp.linear(g -> g.mul(Tensor.of(2.0, 4.0))));
    faults.add(
        Fault.of(
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
        Fault.of(
            "a rule that fails elsewhere",
            FAILS,
            "at another point, nearby: known at 1 alone",
            in -> once.apply(in[0]),
            numbers(1.0, 2.0)));
    var lost = CustomOp.of("lost", (Tensor x) -> x.abs(), Vjp.linear(g -> g.mul(0)));
    faults.add(
        Fault.of(
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
        Fault.of(
            "a clip that nothing reaches",
            NOT_LINEAR,
            "1024 times",
            in -> clipped.apply(in[0]),
            numbers(1.0, 2.0)));
    return faults;
  }
}
