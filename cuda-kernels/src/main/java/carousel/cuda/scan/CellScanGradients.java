package carousel.cuda.scan;

import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Scan;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where the gradients of a scan's inputs go: one tensor per role, null where none is wanted. Those of a
 * tensor that has two roles are added up at the end.
 */
final class CellScanGradients {
  private final CellScanRoles roles;
  private final boolean[] wanted;
  private final @Nullable Tensor x;
  private final @Nullable Tensor wx;
  private final @Nullable Tensor b;
  private final @Nullable Tensor z;
  private final Tensor[] states;
  private final Map<String, Tensor> weights = new HashMap<>();

  CellScanGradients(CellScanRoles roles, boolean[] wanted, Tensor... given) {
    this.roles = roles;
    this.wanted = wanted;
    boolean affine = roles.isAffine();
    x = affine ? wanted(given, Scan.Inputs.X) : null;
    wx = affine ? wanted(given, Scan.Inputs.WX) : null;
    b = affine ? wanted(given, Scan.Inputs.B) : null;
    z = affine ? null : wanted(given, roles.sequence());
    states = new Tensor[roles.cell().states()];
    for (int k = 0; k < states.length; k++) {
      states[k] = like(given[roles.state(k)]); // kernels write these in any case
    }
    roles
        .weights()
        .forEach((name, place) -> {
          Tensor gradient = wanted(given, place);
          if (gradient != null) {
            weights.put(name, gradient);
          }
        });
  }

  private @Nullable Tensor wanted(Tensor[] given, int place) {
    return wanted[place] ? like(given[place]) : null;
  }

  private static Tensor like(Tensor tensor) {
    return Engine.empty("scan", tensor.device(), tensor.dtype(), tensor.shape());
  }

  @Nullable Tensor x() {
    return x;
  }

  @Nullable Tensor wx() {
    return wx;
  }

  @Nullable Tensor b() {
    return b;
  }

  /** Of an input that is no product, {@code [T,N,G·H]}. */
  @Nullable Tensor z() {
    return z;
  }

  /** Of h, or c. */
  Tensor state(int k) {
    return states[k];
  }

  @Nullable Tensor weight(String name) {
    return weights.get(name);
  }

  /** Puts them where the composite's inputs are. */
  void into(@Nullable Tensor[] gradients) {
    if (roles.isAffine()) {
      gradients[Scan.Inputs.X] = x;
      gradients[Scan.Inputs.WX] = wx;
      gradients[Scan.Inputs.B] = b;
    } else {
      gradients[roles.sequence()] = z;
    }
    for (int k = 0; k < states.length; k++) {
      int place = roles.state(k);
      gradients[place] = wanted[place] ? states[k] : null;
    }
    // In an order that does not change from run to run.
    for (CellWeight weight : roles.cell().weights()) {
      if (!roles.has(weight)) {
        continue;
      }
      Tensor gradient = weights.get(weight.name());
      int place = roles.weight(weight.name());
      Tensor other = gradients[place];
      if (gradient != null && other != null) {
        other.device().backend().binary(Binary.ADD, other, gradient, other);
      } else if (gradient != null) {
        gradients[place] = gradient;
      }
    }
  }
}
