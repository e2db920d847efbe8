package carousel.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import carousel.cuda.driver.Arguments;
import carousel.cuda.driver.CudaDriver;
import carousel.cuda.driver.Grid;
import carousel.cuda.driver.KernelSource;
import carousel.tensor.Device;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.LinkedHashMap;
import java.util.Map;

/** The emulated device, which compiles {@link KernelMutants} in place of what it is given. */
final class MutatedDriver {
  private final CudaDriver emulated = Cuda.emulated();
  private final Map<Long, KernelMutants> modules = new LinkedHashMap<>();
  private final Device device;

  MutatedDriver() {
    CudaDriver driver =
        (CudaDriver)
            Proxy.newProxyInstance(
                CudaDriver.class.getClassLoader(),
                new Class<?>[] {CudaDriver.class},
                (proxy, method, arguments) -> {
                  try {
                    return method.getName().equals("load")
                        ? load((KernelSource) arguments[0])
                        : method.invoke(emulated, arguments);
                  } catch (InvocationTargetException e) {
                    throw e.getCause();
                  }
                });
    device = Device.of("cuda-emulated, mutated", Cuda.backend(driver));
  }

  private long load(KernelSource source) {
    var mutants = KernelMutants.of(source);
    long module = emulated.load(mutants.source());
    if (!mutants.all().isEmpty()) {
      modules.put(module, mutants);
    }
    return module;
  }

  /** The device; what runs on it is right until a mutant is chosen. */
  Device device() {
    return device;
  }

  /** What was loaded so far that has mutants, by its number. */
  Map<Long, KernelMutants> modules() {
    return modules;
  }

  /** Has a module run one of its mutants; none if negative. */
  void choose(long module, int mutant) {
    var arguments = new Arguments();
    arguments.values().set(JAVA_INT, arguments.next(Integer.BYTES), mutant);
    emulated.launch(emulated.function(module, "choose_mutant"), Grid.of(1, 1), arguments);
  }

  /** Whether the chosen one gave another number anywhere. */
  boolean isChanged(long module) {
    return observe(module, 0)[0] != 0;
  }

  /** For each of so many mutants, whether it is the first of a site that was reached. */
  boolean[] reached(long module, int count) {
    byte[] observed = observe(module, count);
    boolean[] reached = new boolean[count];
    for (int i = 0; i < count; i++) {
      reached[i] = observed[i + 1] != 0;
    }
    return reached;
  }

  private byte[] observe(long module, int count) {
    try (var arena = Arena.ofConfined()) {
      // The emulated device's memory is the host's.
      MemorySegment observed = arena.allocate(count + 1L);
      var arguments = new Arguments();
      arguments.values().set(JAVA_LONG, arguments.next(Long.BYTES), observed.address());
      arguments.values().set(JAVA_LONG, arguments.next(Long.BYTES), observed.address() + 1);
      arguments.values().set(JAVA_INT, arguments.next(Integer.BYTES), count);
      emulated.launch(emulated.function(module, "observe_mutant"), Grid.of(1, 1), arguments);
      return observed.toArray(JAVA_BYTE);
    }
  }
}
