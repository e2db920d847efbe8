package carousel.tensor.cpu.vector;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorOperators;

/** Bodies on f64. */
final class F64Bodies {
  private F64Bodies() {}

  static DoubleVector tanh(DoubleVector x) {
    return x.lanewise(VectorOperators.TANH);
  }
}
