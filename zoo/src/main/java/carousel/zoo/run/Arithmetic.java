package carousel.zoo.run;

import carousel.tensor.spi.Setting;
import java.util.Locale;

/**
 * What the last bits of a result depend on beside the program: the order of sums is that of the vectors
 * they are made in.
 */
public final class Arithmetic {
  private static final String VECTORS = "jdk.incubator.vector";

  private Arithmetic() {}

  /**
   * What computes on a device.
   *
   * @param device its name
   * @return e.g. {@code cpu with vectors of 512 bits}
   */
  public static String of(String device) {
    return device.equals("cpu") ? "cpu with " + vectors() : device;
  }

  /** The Vector API is asked for by name: only the CPU backend may be compiled against it. */
  private static String vectors() {
    boolean off = Setting.VECTOR.or("auto").equals("off");
    if (off || ModuleLayer.boot().findModule(VECTORS).isEmpty()) {
      return "scalar loops";
    }
    try {
      var preferred =
          Class.forName(VECTORS + ".FloatVector").getField("SPECIES_PREFERRED").get(null);
      var size = Class.forName(VECTORS + ".VectorSpecies").getMethod("vectorBitSize");
      return String.format(Locale.ROOT, "vectors of %s bits", size.invoke(preferred));
    } catch (ReflectiveOperationException e) {
      return "vectors of an unknown size";
    }
  }
}
