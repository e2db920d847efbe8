package carousel.tensor.cpu.vector;

import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** Bodies on 32-bit integers; arithmetic wraps. Division has no vector form and stays scalar. */
final class I32Bodies {
  private I32Bodies() {}

  static IntVector sign(IntVector x) {
    return x.lanewise(VectorOperators.ASHR, 31)
        .lanewise(
            VectorOperators.OR, x.lanewise(VectorOperators.NEG).lanewise(VectorOperators.LSHR, 31));
  }

  static IntVector relu(IntVector x) {
    return x.lanewise(VectorOperators.MAX, 0);
  }
}
