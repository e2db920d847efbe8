package carousel.testing;

import carousel.autograd.Grad;
import carousel.autograd.GradCheck;
import carousel.autograd.GradReport;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.tensor.op.CustomOp;
import carousel.tensor.op.Vjp;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The rule of an op against differences: of the forward, or of itself where it is no derivative. */
final class OpGradient {
  private static final long A = 5;
  private static final long B = 77;

  private final OpContract contract;
  private final Findings findings;
  private final CustomOp op;

  OpGradient(OpContract contract, Findings findings) {
    this.contract = contract;
    this.findings = findings;
    this.op = contract.op();
  }

  void check(OpCase c) {
    try (var scope = TensorScope.open()) {
      Tensor[] inputs = c.inputs();
      if (Results.floating(inputs).length == 0
          || Results.floating(op.applyAll(inputs)).length == 0) {
        findings.note("no floating input, or output: there is no gradient");
        return;
      }
      String where = c.toString();
      zeros(where, inputs);
      if (contract.isLinear()) {
        linear(where, inputs);
      }
      boolean once = onceIsDeclared(where, inputs);
      if (contract.isDerivative()) {
        derivative(where, once ? 1 : contract.order(), inputs);
      } else {
        findings.note("the rule is no derivative, as declared: held to itself");
        if (!once) {
          ofTheRule(where, inputs);
          twice(where, inputs);
        }
      }
    }
  }

  /** The first order at other sizes, where it can be told: rules go wrong at sizes of 1. */
  void checkSizes(List<OpCase> cases) {
    if (!contract.isDerivative()) {
      return;
    }
    for (OpCase c : cases) {
      try (var scope = TensorScope.open()) {
        Tensor[] inputs = c.inputs();
        Tensor[] floating = Results.floating(inputs);
        if (Arrays.stream(floating).allMatch(x -> x.size() == 0)
            || Arrays.stream(Results.floating(op.applyAll(inputs))).allMatch(y -> y.size() == 0)) {
          continue;
        }
        GradReport report =
            findings.attempt(
                c + ", GradCheck",
                () ->
                    GradCheck.standard()
                        .withOrder(1)
                        .run(op.label() + " of " + c, in -> op.applyAll(in), inputs));
        if (report != null) {
          findings.require(
              report.verdict() != GradReport.Verdict.WRONG, c.toString(), report.toString());
        }
      }
    }
  }

  private void zeros(String where, Tensor... inputs) {
    List<Tensor> pulled =
        findings.attempt(
            where + ", cotangents of zeros",
            () -> Results.gradients(op::applyAll, Results.ZEROS, inputs));
    if (pulled != null) {
      for (Tensor g : pulled) {
        findings.same(
            where,
            "the rule, given zeros,",
            g,
            g.zerosLike(),
            0,
            "; a kernel cannot tell zeros from nothing: give zeros for them");
      }
    }
  }

  /** {@code rule(a + 2b) = rule(a) + 2·rule(b)}. */
  private void linear(String where, Tensor... inputs) {
    Tensor[] y = op.applyAll(inputs);
    Tensor[] a = cotangents(A, y);
    Tensor[] b = cotangents(B, y);
    Tensor[] both = new Tensor[y.length];
    Arrays.setAll(both, k -> isFloating(y[k]) ? a[k].add(b[k].mul(2)) : a[k]);
    List<Tensor> of = new ArrayList<>();
    for (Tensor[] cotangents : List.of(a, b, both)) {
      Tensor[] pulled =
          findings.attempt(
              where + ", the rule", () -> RuleContext.of(op, inputs, y, cotangents).pull(op));
      if (pulled == null) {
        return;
      }
      of.addAll(List.of(pulled));
    }
    int n = of.size() / 3;
    for (int i = 0; i < n; i++) {
      findings.same(
          where,
          "the rule of g + 2g', gradient " + i + ",",
          of.get(2 * n + i),
          of.get(i).add(of.get(n + i).mul(2)),
          16 * contract.units(),
          " by the rule of g and that of g': it is not linear in what arrives; if that is meant, say nonlinear()");
    }
  }

  private static Tensor[] cotangents(long seed, Tensor... outputs) {
    return Arrays.stream(outputs)
        .map(y -> isFloating(y) ? Results.weights(y, seed) : y.zerosLike())
        .toArray(Tensor[]::new);
  }

  private static boolean isFloating(Tensor x) {
    return x.dtype().isFloating();
  }

  /** Whether the rule is declared for one derivative, here; checks that it says the same there. */
  private boolean onceIsDeclared(String where, Tensor... inputs) {
    Vjp rule = op.vjp();
    boolean once = Vjp.once(rule) == rule;
    if (once && !contract.isOnce()) {
      findings.require(
          false,
          where,
          "its rule is Vjp.once, so that it has no gradient of a gradient; if that is meant, say once()");
    } else if (contract.isOnce()) {
      String said;
      try {
        Results.second(op::applyAll, A, inputs);
        said = "gives numbers";
      } catch (TensorException e) {
        said = String.valueOf(e.getMessage());
      }
      findings.require(
          once && said.startsWith(op.label()),
          where,
          "declared once(), and a gradient of its gradient is to be an error that names it; it "
              + (once ? "says: " + said : said + ", as the rule is not wrapped in Vjp.once"));
    }
    return once || contract.isOnce();
  }

  private void derivative(String where, int order, Tensor... inputs) {
    GradReport report =
        findings.attempt(
            where + ", GradCheck",
            () ->
                GradCheck.standard()
                    .withOrder(order)
                    .run(op.label() + " of " + where, in -> op.applyAll(in), inputs));
    if (report != null) {
      boolean right =
          report.findings().stream()
              .allMatch(f ->
                  f.kind().verdict() == GradReport.Verdict.RIGHT
                      || (f.kind() == GradReport.Kind.UNREAD && nothingFlows(f.where())));
      findings.require(
          right, where, report + "\n  if the rule is no derivative by design, say surrogate()");
      findings.note(
          "gradient: " + report.compared() + " slopes to order " + order + " agree with the rule");
    }
  }

  /** Whether the rule says of itself that nothing flows to an input. */
  private boolean nothingFlows(String where) {
    String number = where.replace("input ", "");
    return number.matches("\\d+") && !op.vjp().flows(Integer.parseInt(number));
  }

  /** The rule as a function of inputs, outputs and cotangents, each moved by itself. */
  private void ofTheRule(String where, Tensor... inputs) {
    Tensor[] outputs = op.applyAll(inputs);
    var at = RuleContext.of(op, inputs, outputs, cotangents(A, outputs));
    GradReport report =
        findings.attempt(
            where + ", GradCheck of the rule",
            () ->
                GradCheck.standard()
                    .withOrder(1)
                    .run(
                        "the rule of " + op.label() + " of " + where,
                        in ->
                            new RuleContext(op.label(), List.of(in), inputs.length, outputs.length)
                                .pull(op),
                        at.given().toArray(new Tensor[0])));
    if (report != null) {
      // A rule need not read everything that it might.
      boolean right =
          report.findings().stream()
              .allMatch(f ->
                  f.kind().verdict() == GradReport.Verdict.RIGHT
                      || f.kind() == GradReport.Kind.UNREAD);
      findings.require(
          right,
          where,
          report
              + "\n  inputs "
              + inputs.length
              + " and following are its outputs and cotangents; write the rule in tensor ops, or declare it"
              + " with Vjp.once");
    }
  }

  /** A gradient of a gradient by the tape, and put together from derivatives of the rule. */
  private void twice(String where, Tensor... inputs) {
    List<Tensor> actual =
        findings.attempt(where + ", second order", () -> Results.second(op::applyAll, A, inputs));
    if (actual == null) {
      return;
    }
    Tensor[] y = op.applyAll(inputs);
    Tensor[] leaves = Results.floating(inputs);
    Tensor[] cotangents = cotangents(A, y);
    List<Tensor> moved = new ArrayList<>(List.of(leaves));
    moved.addAll(List.of(Results.floating(y)));
    // The slopes of ⟨rule(x, y, w), v⟩ by x, and by y as far as y moves by the rule.
    var slopes =
        Grad.orZero(
            () -> {
              Tensor[] pulled = RuleContext.of(op, inputs, y, cotangents).pull(op);
              Tensor sum = null;
              for (int i = 0; i < pulled.length; i++) {
                Tensor term = pulled[i].mul(Results.weights(pulled[i], A + 1)).sum();
                sum = sum == null ? term : sum.add(term);
              }
              return sum == null ? leaves[0].zerosLike().sum() : sum;
            },
            moved.toArray(new Tensor[0]));
    Tensor[] arriving = new Tensor[y.length];
    int next = leaves.length;
    for (int k = 0; k < y.length; k++) {
      arriving[k] = isFloating(y[k]) ? slopes.get(next++) : y[k].zerosLike();
    }
    Tensor[] through = RuleContext.of(op, inputs, y, arriving).pull(op);
    for (int i = 0; i < leaves.length; i++) {
      findings.same(
          where,
          "second order, gradient " + i + ",",
          actual.get(i),
          slopes.get(i).add(through[i]),
          1e3 * contract.units(),
          "; wanted is the derivative of the rule");
    }
  }
}
