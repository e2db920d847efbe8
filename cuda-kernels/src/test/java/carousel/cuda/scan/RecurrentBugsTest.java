package carousel.cuda.scan;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.cuda.Cuda;
import carousel.cuda.driver.CudaDriver;
import carousel.cuda.driver.KernelSource;
import carousel.cuda.launch.Launcher;
import carousel.cuda.replay.CudaRecorder;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.TensorException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The emulated device sees what is wrong with recurrent kernels: each of these changes is noticed. */
class RecurrentBugsTest {
  /** Several blocks of an odd number of units, the last not full, and several rows. */
  private static final RecurrentCase CASE = RecurrentCase.of("lstm", DType.F64, 3, 5, 2, 17);

  /** A change of a kernel's source; {@code from} must be there. */
  private record Bug(String name, String file, String from, String to) {
    String plant(String text) {
      assertThat(text).as("%s of %s", from, file).contains(from);
      return text.replace(from, to);
    }
  }

  private static final List<Bug> BUGS =
      List.of(
          new Bug(
              "forward: a missing barrier of the grid", "scan_forward.cuh", "barrier.wait();", ""),
          new Bug(
              "backward: a missing barrier of the grid",
              "scan_backward.cuh",
              "barrier.wait();",
              ""),
          new Bug(
              "forward: a missing barrier of the block",
              "scan_forward.cuh",
              "await_copies<0>();\n      __syncthreads();",
              "await_copies<0>();"),
          new Bug(
              "forward: the last pack is left out",
              "scan_forward.cuh",
              "int last = min(first + chunk, packs);",
              "int last = min(first + chunk, packs - 1);"),
          new Bug(
              "backward: the shares of the next block",
              "shares.cuh",
              "if (unit == own) {",
              "if (unit == own + 1) {"),
          new Bug(
              "forward: input and forget gate swapped",
              "cells.cuh",
              "s.gates[1] * s.c + s.gates[0] * s.gates[2]",
              "s.gates[0] * s.c + s.gates[1] * s.gates[2]"),
          new Bug(
              "backward: input and forget gate swapped",
              "cells.cuh",
              "p.before_c = dc * p.gates[1];",
              "p.before_c = dc * p.gates[0];"));

  @TestFactory
  Stream<DynamicTest> areCaught() {
    return BUGS.stream()
        .map(bug -> DynamicTest.dynamicTest(bug.name(), () -> assertThat(found(bug)).isNotEmpty()));
  }

  @Test
  void withoutThemAllIsWell() {
    assertThat(found(new Bug("none", "cells.cuh", "", ""))).isEmpty();
  }

  private static List<String> found(Bug bug) {
    Device device = Cuda.device();
    CudaDriver driver = patched(Cuda.emulated(), bug);
    var launcher = new Launcher(new CudaRecorder(driver, Cuda.pool(driver)));
    try {
      return CASE.differences(
          device, (op, inputs) -> CellScanKernel.of(launcher, op, inputs), ".scan", -1);
    } catch (TensorException e) {
      return List.of(String.valueOf(e.getMessage()));
    }
  }

  /** A driver that compiles other sources. */
  private static CudaDriver patched(CudaDriver driver, Bug bug) {
    return (CudaDriver)
        Proxy.newProxyInstance(
            CudaDriver.class.getClassLoader(),
            new Class<?>[] {CudaDriver.class},
            (proxy, method, arguments) -> {
              Object[] given = arguments == null ? new Object[0] : arguments;
              if (given.length == 1 && given[0] instanceof KernelSource source) {
                given = new Object[] {patched(source, bug)};
              }
              try {
                return method.invoke(driver, given);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private static KernelSource patched(KernelSource source, Bug bug) {
    Map<String, String> files = new LinkedHashMap<>(source.files());
    files.computeIfPresent(bug.file(), (name, text) -> bug.plant(text));
    return new KernelSource(source.name(), files);
  }
}
