package carousel.testing;

import carousel.autograd.Anomaly;
import carousel.autograd.Grad;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Agreement;
import carousel.tensor.op.Composite;
import carousel.tensor.op.CustomOp;
import carousel.tensor.op.Op;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;

/** An op where programs use it: under checkpoints, forward mode, anomaly detection, and in composites. */
final class OpUses {
  private static final long SEED = 9;

  private final OpContract contract;
  private final Findings findings;
  private final CustomOp op;

  OpUses(OpContract contract, Findings findings) {
    this.contract = contract;
    this.findings = findings;
    this.op = contract.op();
  }

  void check(OpCase c, Device device) {
    try (var scope = TensorScope.open(device)) {
      Tensor[] inputs = c.inputs();
      String where = c + " on " + device;
      Tensor[] leaves = Results.floating(inputs);
      if (leaves.length > 0) {
        Supplier<Tensor> loss = Results.loss(op::applyAll, SEED, inputs);
        List<Tensor> plain = Results.gradients(op::applyAll, SEED, inputs);
        under(where + " under Grad.checkpoint", () -> Grad.checkpoint(loss), plain, leaves);
        for (int i = 0; i < plain.size(); i++) {
          findings.require(
              Results.isFinite(plain.get(i)),
              where,
              "gradient " + i + " has numbers that are not finite");
        }
        anomaly(where + " under Anomaly.detect", loss, plain, leaves);
        forward(where + " under Grad.jvp", plain, inputs);
      }
      composite(where + " in a composite", inputs);
    }
  }

  private void under(String where, Supplier<Tensor> loss, List<Tensor> plain, Tensor... leaves) {
    var gradients = findings.attempt(where, () -> Grad.orZero(loss, leaves));
    for (int i = 0; gradients != null && i < leaves.length; i++) {
      findings.same(
          where,
          "gradient " + i,
          gradients.get(i),
          plain.get(i),
          contract.units(),
          "; wanted is what Grad.of gives");
    }
  }

  private void anomaly(String where, Supplier<Tensor> loss, List<Tensor> plain, Tensor... leaves) {
    // Rules may make infinite numbers that they drop: what counts is what arrives.
    var gradients = findings.attempt(where, () -> Anomaly.detect(() -> Grad.orZero(loss, leaves)));
    for (int i = 0; gradients != null && i < leaves.length; i++) {
      findings.same(where, "gradient " + i, gradients.get(i), plain.get(i), contract.units(), "");
    }
  }

  /** {@code ⟨w, J·v⟩ = ⟨Jᵀ·w, v⟩}, where the rule is linear; else that there is a product at all. */
  private void forward(String where, List<Tensor> plain, Tensor... inputs) {
    if (contract.isOnce()) {
      return; // it is the gradient of a gradient
    }
    int leaf = 0;
    for (int i = 0; i < inputs.length; i++) {
      if (!inputs[i].dtype().isFloating()) {
        continue;
      }
      int input = i;
      Tensor v = Results.weights(inputs[i], SEED + 3);
      Tensor back = plain.get(leaf++).mul(v).sum();
      Tensor along =
          findings.attempt(
              where + " by input " + i,
              () ->
                  Grad.jvp(
                      x -> {
                        Tensor[] moved = inputs.clone();
                        moved[input] = x;
                        return Results.loss(op::applyAll, SEED, moved).get();
                      },
                      inputs[input],
                      v));
      if (along != null && contract.isLinear()) {
        double size = plain.get(leaf - 1).mul(v).abs().sum().item();
        double bound =
            contract.units() * (back.dtype() == DType.F32 ? Math.ulp(1f) : Math.ulp(1.0)) * size;
        findings.require(
            Math.abs(along.item() - back.item()) <= bound,
            where + " by input " + i,
            String.format(
                Locale.ROOT,
                "⟨w, J·v⟩ is %s, wanted %s = ⟨Jᵀ·w, v⟩, to %.1e: forward and backward mode differ",
                along.item(),
                back.item(),
                bound));
      }
    }
  }

  private void composite(String where, Tensor... inputs) {
    Results.Function body = in -> op.applyAll(doubled(in));
    var composite = new Composite(op.label() + ".inComposite", in -> body.apply(in));
    Results.Function within = in -> Op.applyAll(composite, in);
    boolean kernel;
    try (var scope = TensorScope.openUnwatched()) {
      kernel = composite.fused(inputs) != null;
    } catch (RuntimeException e) {
      findings.wrong(where, "making a kernel of it fails: " + e.getMessage());
      return;
    }
    findings.note(
        "in a composite, on "
            + inputs[0].device()
            + ": "
            + (kernel ? "part of the kernel" : "no kernel, runs op by op"));
    Results wanted = findings.attempt(where, () -> Results.of(body, SEED, inputs));
    Results byBody =
        findings.attempt(
            where + ", its body",
            () -> Bodies.INSTANCE.run(() -> Results.of(within, SEED, inputs)));
    Results byKernel =
        findings.attempt(
            where + ", its kernel",
            () -> Agreement.trusting(() -> Results.of(within, SEED, inputs)));
    if (wanted == null || byBody == null || byKernel == null) {
      return;
    }
    String advice = "; wanted is what the op gives by itself";
    findings.same(where + ", its body", byBody, wanted, contract.units(), advice);
    findings.same(where + ", its kernel", byKernel, wanted, 4 * contract.units(), advice);
    if (!contract.isOnce() && Results.floating(inputs).length > 0) {
      List<Tensor> second = new ArrayList<>();
      List<Tensor> expected = new ArrayList<>();
      findings.attempt(
          where + ", second order",
          () ->
              second.addAll(Agreement.trusting(() -> Results.second(within, SEED, inputs)))
                  && expected.addAll(Results.second(body, SEED, inputs)));
      for (int i = 0; i < expected.size(); i++) {
        findings.same(
            where,
            "second order, gradient " + i,
            second.get(i),
            expected.get(i),
            16 * contract.units(),
            advice);
      }
    }
  }

  /** The same numbers, computed: an op that reads what a kernel computes before it. */
  private static Tensor[] doubled(Tensor... inputs) {
    return Arrays.stream(inputs)
        .map(x -> x.dtype().isFloating() ? x.mul(2).mul(0.5) : x)
        .toArray(Tensor[]::new);
  }
}
