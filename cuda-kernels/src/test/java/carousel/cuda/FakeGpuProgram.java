package carousel.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import carousel.cuda.driver.BatchedGemm;
import carousel.cuda.driver.CubinCache;
import carousel.cuda.driver.CudaLibrary;
import carousel.cuda.driver.JCudaDriver;
import carousel.cuda.driver.LibrarySearch;
import carousel.cuda.driver.Precision;
import carousel.cuda.emulator.EmulatedCompiler;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Replay;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.tensor.contract.Contract;
import carousel.tensor.contract.OpCase;
import carousel.tensor.contract.OpCases;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * Runs rows on JCuda's driver, whose native part finds a {@code libcuda.so.1} that poses as NVIDIA's. In a JVM
 * of its own: a driver stays loaded.
 */
public final class FakeGpuProgram {
  private FakeGpuProgram() {}

  /**
   * Prints what went wrong, or {@code n cases agree}.
   *
   * @param arguments the folder of libraries, the CUDA version of cuBLAS, the rows to try
   */
  public static void main(String[] arguments) {
    var search = new LibrarySearch(List.of(Path.of(arguments[0])), 1, false);
    var cublas = search.find(CudaLibrary.Kind.CUBLAS, Integer.parseInt(arguments[1])).orElseThrow();
    var compiler = new EmulatedCompiler(CubinCache.configured().resolve("emulated"));
    try {
      var driver = new JCudaDriver(0, "fake", compiler, cublas);
      copies(driver);
      rounding(driver);
      var device = Device.of("cuda:0", Cuda.backend(driver));
      replays(device);
      List<OpCase> cases = OpCases.all().filter(row -> row.row().matches(arguments[2])).toList();
      List<String> wrong =
          cases.stream().flatMap(row -> Contract.violations(row, device).stream()).toList();
      wrong.stream().limit(20).forEach(System.out::println);
      System.out.println(
          wrong.isEmpty() ? cases.size() + " cases agree" : wrong.size() + " cases are wrong");
    } catch (TensorException e) {
      System.out.println(e.getMessage());
    }
  }

  /** Kernels, a copy and a fill as one graph, on numbers that change. */
  private static void replays(Device device) {
    try (var scope = TensorScope.open(device)) {
      Tensor x = Tensor.zeros(3, 4);
      var noise = Philox.of(1);
      var same = Philox.of(1);
      try (var code = Replay.of(() -> code(x, noise))) {
        for (int i = 0; i < 4; i++) {
          x.fill(i);
          float[] actual = code.run().toFloatArray();
          float[] expected = code(x, same).toFloatArray();
          if (!Arrays.equals(actual, expected)) {
            throw new TensorException(
                "replays: run "
                    + i
                    + " gave "
                    + Arrays.toString(actual)
                    + ", not "
                    + Arrays.toString(expected));
          }
        }
      }
    }
  }

  private static Tensor code(Tensor x, Philox noise) {
    Tensor y = x.copy().add(noise.uniform(DType.F32, 0, 1, 3, 4));
    return Tensor.concat(List.of(y.tanh(), Tensor.zeros(1, 4), y.sum(0).unsqueeze(0)), 0);
  }

  /** 257 takes nine bits. */
  private static void rounding(JCudaDriver driver) {
    long x = driver.allocate(Float.BYTES);
    long y = driver.allocate(Float.BYTES);
    driver.upload(MemorySegment.ofArray(new float[] {257}), x);
    var a = BatchedGemm.Matrix.of(x, 1);
    driver.gemm(new BatchedGemm(DType.F32, 1, 1, 1, a, a, BatchedGemm.Matrix.of(y, 1), 0, 1));
    float[] product = new float[1];
    driver.download(y, MemorySegment.ofArray(product));
    float operand = driver.precision() == Precision.BF16 ? 256 : 257;
    if (product[0] != operand * operand) {
      throw new TensorException("rounding: wrong with " + driver.precision() + ": " + product[0]);
    }
    driver.free(x);
    driver.free(y);
  }

  /** Longer than the staging buffers, and not a multiple of them. */
  private static void copies(JCudaDriver driver) {
    int[] there = new int[(9 << 20) / 4 + 3];
    for (int i = 0; i < there.length; i++) {
      there[i] = 31 * i;
    }
    long bytes = 4L * there.length;
    long x = driver.allocate(bytes);
    long y = driver.allocate(bytes);
    driver.upload(MemorySegment.ofArray(there), x);
    driver.copy(x, y, bytes);
    driver.set(y, (byte) 0xFF, 8);
    var back = MemorySegment.ofArray(new int[there.length]);
    driver.download(y, back);
    driver.synchronize();
    for (int i = 0; i < there.length; i++) {
      int expected = i < 2 ? -1 : there[i];
      if (back.getAtIndex(JAVA_INT, i) != expected) {
        throw new TensorException("copies: wrong at " + i);
      }
    }
    driver.free(x);
    driver.free(y);
  }
}
