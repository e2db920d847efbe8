package carousel.tensor.cpu;

import carousel.tensor.cpu.loop.Kernels;
import java.lang.System.Logger.Level;
import java.util.Locale;
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
   * @throws IllegalStateException if they require the Vector API and it is not there
   * @throws IllegalArgumentException if they cannot be read
   */
  static Kernels configured() {
    return choose(
        System.getProperty("carousel.vector", "auto"), System.getProperty("carousel.vector.bits"));
  }

  static Kernels choose(String mode, @Nullable String bits) {
    switch (mode.toLowerCase(Locale.ROOT)) {
      case "off" -> {
        return new ScalarKernels();
      }
      case "auto", "require" -> {
        if (ModuleLayer.boot().findModule(MODULE).isPresent()) {
          return provider(bits);
        }
      }
      default ->
          throw new IllegalArgumentException(
              "-Dcarousel.vector=" + mode + "; give auto, off or require");
    }
    if (mode.equalsIgnoreCase("require")) {
      throw new IllegalStateException(
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
      if (!bits.equals("128") && !bits.equals("256") && !bits.equals("512")) {
        throw new IllegalArgumentException(
            "-Dcarousel.vector.bits=" + bits + "; give 128, 256 or 512");
      }
      return (Kernels) type.getConstructor(int.class).newInstance(Integer.valueOf(bits));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cannot load " + PROVIDER, e);
    }
  }
}
