package carousel.tensor.cpu.vector;

import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorOperators;

/** Bodies on i32. Arithmetic wraps and is the same for every lane type. */
final class I32Bodies {
  private I32Bodies() {}

  static Vector<Float> toF32(IntVector x) {
    return x.convert(VectorOperators.I2F, 0);
  }
}
