package carousel.tensor.cpu;

import carousel.tensor.TensorException;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.spi.Setting;
import java.lang.System.Logger.Level;
import org.jspecify.annotations.Nullable;

/**
 * Chooses between the Vector API and scalar loops. {@code -Dcarousel.vector=auto|off|require} says
 * which, {@code -Dcarousel.vector.bits=128|256|512} with what vectors.
 */
final class KernelChoice {
  private static final String PROVIDER = "carousel.tensor.cpu.vector.VectorKernels";
  private static final String MODULE = "jdk.incubator.vector";
  private static final String FLAG = "--add-modules " + MODULE;

  private KernelChoice() {}

  /**
   * The loops that the system properties ask for.
   *
   * @throws TensorException if they make no sense, or require the Vector API and it is not there
   */
  static Kernels configured() {
    return choose(Setting.VECTOR.or("auto"), Setting.VECTOR_BITS.value());
  }

  static Kernels choose(String mode, @Nullable String bits) {
    switch (mode) {
      case "off" -> {
        return new ScalarKernels();
      }
      default -> {
        if (ModuleLayer.boot().findModule(MODULE).isPresent()) {
          return provider(bits);
        }
      }
    }
    if (mode.equals("require")) {
      throw new TensorException(
          "-Dcarousel.vector=require, but the module "
              + MODULE
              + " is not there; start Java with "
              + FLAG);
    }
    System.getLogger("carousel.tensor")
        .log(
            Level.WARNING,
            "the Vector API is not enabled, so the CPU computes in scalar loops, many times slower;"
                + " start Java with {0} (or say -Dcarousel.vector=off to silence this)",
            FLAG);
    return new ScalarKernels();
  }

  /** Found by name: no class that loads without the Vector API mentions one that needs it. */
  private static Kernels provider(@Nullable String bits) {
    try {
      Class<?> type = Class.forName(PROVIDER);
      if (bits == null) {
        return (Kernels) type.getConstructor().newInstance();
      }
      return (Kernels) type.getConstructor(int.class).newInstance(Integer.valueOf(bits));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cannot load " + PROVIDER, e);
    }
  }
}
