package carousel.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.Grad;
import carousel.cuda.driver.CudaDriver;
import carousel.cuda.driver.KernelSource;
import carousel.cuda.driver.Precision;
import carousel.cuda.emulator.EmulatedDriver;
import carousel.cuda.scan.RecurrentCase;
import carousel.cuda.scan.UserCell;
import carousel.cuda.scan.UserCellsTest;
import carousel.nn.recurrent.Recurrent;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.contract.Contract;
import carousel.tensor.contract.OpCases;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The suites notice bugs of kernels: each is planted in the real source, and must be caught. That nothing
 * is found without it, the suites themselves show.
 */
class PlantedBugsTest {
  private static final int SMALL = 5000;

  @TempDir static Path cache;

  /** A device whose kernels are the real ones but for one piece of text. */
  private static Device with(String file, String text, String bug, boolean reverse) {
    Cuda.emulated(); // skips without a compiler
    var driver = new EmulatedDriver(cache, false, reverse, Precision.F32);
    CudaDriver planting =
        (CudaDriver)
            Proxy.newProxyInstance(
                CudaDriver.class.getClassLoader(),
                new Class<?>[] {CudaDriver.class},
                (proxy, method, arguments) -> {
                  try {
                    return method.getName().equals("load")
                        ? driver.load(planted((KernelSource) arguments[0], file, text, bug))
                        : method.invoke(driver, arguments);
                  } catch (InvocationTargetException e) {
                    throw e.getCause();
                  }
                });
    return Device.of("cuda-emulated with a bug", Cuda.backend(planting));
  }

  private static KernelSource planted(KernelSource source, String file, String text, String bug) {
    Map<String, String> files = new LinkedHashMap<>(source.files());
    files.computeIfPresent(
        file,
        (name, content) -> {
          assertThat(content).as("%s, to plant a bug there", name).containsOnlyOnce(text);
          return content.replace(text, bug);
        });
    return new KernelSource(source.name(), files);
  }

  private static List<String> violations(Device device, String row) {
    return OpCases.all()
        .filter(c -> c.row().equals(row) && c.operands().getFirst().shape().size() < SMALL)
        .flatMap(c -> Contract.violations(c, device).stream())
        .toList();
  }

  @Test
  void aMissingBarrier() {
    String text = "  __syncthreads();\n  S start = *carry;";
    String bug = "  S start = *carry;";
    assertThat(violations(with("cumsum.cu", text, bug, false), "CumSum")).isNotEmpty();
  }

  /** Who overwrites what others have yet to read must run ahead of them: an order that is not the plain one. */
  @Test
  void aMissingBarrierBeforeTheNextTurn() {
    String text = "__syncthreads();  // everyone has read the sums of the last turn";
    assertThat(violations(with("cumsum.cu", text, text, true), "CumSum")).isEmpty();
    assertThat(violations(with("cumsum.cu", text, "", true), "CumSum")).isNotEmpty();
  }

  @Test
  void anOffByOne() {
    String text = "i < at.count; i += all_threads()";
    assertThat(
            violations(
                with("map.cuh", text, "i + 1 < at.count; i += all_threads()", false),
                "Ternary.FMA"))
        .isNotEmpty();
  }

  @Test
  void aSwappedGate() {
    var lstm = RecurrentCase.of("lstm", DType.F32, 4, 3, 5, 8);
    String text = "s.gates[0] = sigmoid(i);\n    s.gates[1] = sigmoid(f);";
    String swapped = "s.gates[0] = sigmoid(f);\n    s.gates[1] = sigmoid(i);";
    assertThat(lstm.differences(with("cells.cuh", text, swapped, false), ".scan", -1)).isNotEmpty();
  }

  /** A kernel that a user's step has is compared with the step when it first runs, and when a tape first sees it. */
  @Test
  void underACellOfAUser() {
    String text = "s.gates[0] = sigmoid(i);\n    s.gates[1] = sigmoid(f);";
    String swapped = "s.gates[0] = sigmoid(f);\n    s.gates[1] = sigmoid(i);";
    int units = UserCell.UNITS;
    try (var scope = TensorScope.open(with("cells.cuh", text, swapped, false))) {
      var cell = UserCell.of("mine", 2, 4, UserCellsTest.LSTM, new int[] {units, 4 * units});
      assertThat(differs(cell, false)).isFalse();
      assertThat(differs(cell, true)).isFalse();
    }
    String slope = "p.dz[0] = p.du[0] = p.dh * F::slope(p.gates[0]);";
    try (var scope =
        TensorScope.open(with("cells.cuh", slope, "p.dz[0] = p.du[0] = p.dh;", false))) {
      var cell =
          UserCell.of(
              "mine",
              1,
              1,
              (z, s, w) -> List.of(z.add(s.getFirst().matmul(w.getFirst())).tanh()),
              new int[] {units, units});
      assertThat(differs(cell, false)).isFalse();
      assertThat(differs(cell, true)).isFalse();
    }
  }

  /** Whether a cell gives something else than its step does op by op. */
  private static boolean differs(UserCell cell, boolean gradients) {
    Tensor x = Philox.of(1).normal(DType.F64, 0, 1, 3, 2, UserCell.INPUTS);
    Tensor wx = cell.wx().value();
    Supplier<Tensor> program =
        () ->
            gradients
                ? Grad.of(() -> Recurrent.of(cell).run(x).y().square().sum(), wx).get(0)
                : Recurrent.of(cell).run(x).y();
    Tensor wanted = RecurrentCase.BODIES.run(program);
    return !program.get().allClose(wanted, 0, 1e-12);
  }
}
