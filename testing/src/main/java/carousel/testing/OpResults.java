package carousel.testing;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Results and gradients of an op: the same on every device, however inputs lie in memory, each time. */
final class OpResults {
  private static final long SEED = 5;
  private static final double NARROW = 1e-3 / Math.ulp(1f);

  private final OpContract contract;
  private final Findings findings;
  private final List<Device> devices;

  OpResults(OpContract contract, Findings findings, List<Device> devices) {
    this.contract = contract;
    this.findings = findings;
    this.devices = devices;
  }

  void check(List<OpCase> cases) {
    for (OpCase c : cases) {
      try (var scope = TensorScope.open(Device.reference())) {
        Tensor[] inputs = c.inputs();
        Results wanted = results(c + " on reference", inputs);
        if (wanted == null) {
          return; // the others would say the same
        }
        Results host = wanted.onHost();
        if (c.type() == DType.F32) {
          narrow(c, host);
        }
        for (Device device : devices) {
          on(device, c, host, c == cases.getFirst());
        }
      }
    }
  }

  private @Nullable Results results(String where, Tensor... inputs) {
    return findings.attempt(where, () -> Results.of(contract.op()::applyAll, SEED, inputs));
  }

  private void narrow(OpCase c, Results narrow) {
    if (!contract.types().contains(DType.F64)) {
      return;
    }
    String where = c + " on reference";
    Results wide = results(where, new OpCase(c.operands(), DType.F64, c.sizes()).inputs());
    if (wide != null) {
      List<Tensor> cast =
          wide.tensors().stream().map(t -> t.dtype() == DType.F64 ? t.cast(DType.F32) : t).toList();
      List<Tensor> own =
          narrow.tensors().stream()
              .map(t -> t.dtype() == DType.F64 ? t.cast(DType.F32) : t)
              .toList();
      findings.same(
          where,
          new Results(narrow.names(), own),
          new Results(wide.names(), cast),
          NARROW,
          "; wanted is what F64 gives of the same numbers");
    }
  }

  private void on(Device device, OpCase c, Results wanted, boolean first) {
    String where = c + " on " + device;
    try (var scope = TensorScope.open(device)) {
      Tensor[] inputs = c.inputs();
      Tensor[] before = copies(inputs);
      Results once = results(where, inputs);
      if (once == null) {
        return;
      }
      for (int i = 0; i < inputs.length; i++) {
        findings.same(
            where,
            "input " + i + " after the call",
            inputs[i],
            before[i],
            0,
            ": forward, or the rule, writes to it; write to a copy()");
      }
      for (int k = 0; k < once.names().size(); k++) {
        findings.require(
            once.get(k).device().equals(device),
            where,
            once.names().get(k)
                + " is on "
                + once.get(k).device()
                + "; move it with to(in[0].device())");
      }
      Results host = once.onHost();
      if (device != Device.reference()) {
        String advice = "; wanted is what the reference device gives";
        findings.same(where, host, wanted, contract.units(), advice);
      }
      Results twice = results(where, inputs);
      if (twice != null) {
        String advice =
            "; wanted is what the first call gave: the op has state, or draws random numbers";
        findings.same(where + ", second call", twice.onHost(), host, 0, advice);
      }
      if (first || c.type() == DType.F64) {
        arrangements(where, inputs);
      }
    }
  }

  private void arrangements(String where, Tensor... inputs) {
    for (int i = 0; i < inputs.length; i++) {
      for (Arrangement arrangement : Arrangement.values()) {
        if (!arrangement.suits(inputs[i])) {
          continue;
        }
        try (var scope = TensorScope.open(TensorScope.current().device())) {
          Tensor[] strided = inputs.clone();
          strided[i] = arrangement.of(inputs[i]);
          Tensor[] dense = inputs.clone();
          dense[i] = strided[i].copy();
          String here = where + ", input " + i + " " + arrangement;
          Results actual = results(here, strided);
          Results wanted = results(here, dense);
          if (actual != null && wanted != null) {
            String advice =
                "; wanted is what a copy() of it gives: read elements by the layout, or take contiguous()";
            findings.same(here, actual.onHost(), wanted.onHost(), contract.units(), advice);
          }
          findings.same(
              here,
              "input " + i + " after the call",
              strided[i],
              dense[i],
              0,
              ": forward, or the rule, writes to it; write to a copy()");
        }
      }
    }
  }

  private static Tensor[] copies(Tensor... tensors) {
    return Arrays.stream(tensors).map(Tensor::copy).toArray(Tensor[]::new);
  }
}
