package carousel.cuda.emulator;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import carousel.cuda.driver.Arguments;
import carousel.cuda.driver.BatchedGemm;
import carousel.cuda.driver.CudaDriver;
import carousel.cuda.driver.Grid;
import carousel.cuda.driver.KernelSource;
import carousel.cuda.driver.Precision;
import carousel.tensor.DType;
import carousel.tensor.TensorException;
import carousel.tensor.spi.Setting;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The host as a CUDA device: kernels compiled by {@code g++}, run one block after the other, its
 * threads as fibers. Device memory is host memory, and every call is done when it returns.
 *
 * <p>It finds wrong indices (with AddressSanitizer), missing and divergent barriers, and deadlocks; it
 * knows nothing of the order of memory accesses between barriers, and says nothing about speed.
 */
public final class EmulatedDriver implements CudaDriver {
  private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
  private static final int MOST_THREADS = 1024;
  private static final int ERROR_BYTES = 1024;
  // The offsets in struct Launch (state.h).
  private static final int SHARED = 24;
  private static final int COOPERATIVE = 28;
  private static final int REVERSE = 32;
  private static final int ERROR = 36;
  private static final MethodHandle LAUNCH =
      Linker.nativeLinker().downcallHandle(FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS));

  private final HostCompiler compiler;
  private final boolean reverse;
  private final Precision precision;
  private final MemorySegment launch = Arena.ofAuto().allocate(ERROR + ERROR_BYTES, 8);
  private final List<SymbolLookup> modules = new ArrayList<>();
  private final MethodHandle allocate;
  private final MethodHandle free;
  private final MethodHandle gemm;

  /**
   * The emulated device.
   *
   * @param cache the folder for compiled kernels
   * @param sanitize whether to build them with AddressSanitizer, whose library must then be preloaded
   * @param reverse whether the threads of a block start from the last one; a right kernel does not care
   * @param precision how products of F32 matrices round; nothing is rounded to TF32, which nobody need do
   * @throws TensorException if there is no compiler
   */
  public EmulatedDriver(Path cache, boolean sanitize, boolean reverse, Precision precision) {
    this.compiler = new HostCompiler(Setting.CUDA_EMULATOR_COMPILER.or("g++"), sanitize, cache);
    this.reverse = reverse;
    this.precision = precision;
    var device =
        SymbolLookup.libraryLookup(
            compiler.runtime(KernelSource.of("emulator/device.cpp")), Arena.global());
    this.allocate =
        handle(device, "emulated_allocate", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG));
    this.free = handle(device, "emulated_free", FunctionDescriptor.ofVoid(JAVA_LONG));
    this.gemm =
        handle(
            device,
            "emulated_gemm",
            FunctionDescriptor.ofVoid(
                JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS, JAVA_DOUBLE));
  }

  private static MethodHandle handle(SymbolLookup library, String name, FunctionDescriptor type) {
    return Linker.nativeLinker().downcallHandle(library.findOrThrow(name), type);
  }

  @Override
  public String description() {
    return "emulated on the host";
  }

  @Override
  public Precision precision() {
    return precision;
  }

  @Override
  public int attribute(Attribute attribute) {
    return switch (attribute) {
      // Few: the blocks of a cooperative launch are all alive at once.
      case MULTIPROCESSORS -> 4;
      case SHARED_BYTES_PER_BLOCK -> 227 << 10;
      case COMPUTE_CAPABILITY -> 90;
    };
  }

  @Override
  public long allocate(long bytes) {
    try {
      return (long) allocate.invokeExact(bytes);
    } catch (Throwable e) {
      throw new AssertionError("emulated_allocate is callable", e);
    }
  }

  @Override
  public void free(long address) {
    try {
      free.invokeExact(address);
    } catch (Throwable e) {
      throw new AssertionError("emulated_free is callable", e);
    }
  }

  @Override
  public void upload(MemorySegment host, long device) {
    MemorySegment.copy(host, JAVA_BYTE, 0, ALL, JAVA_BYTE, device, host.byteSize());
  }

  @Override
  public void download(long device, MemorySegment host) {
    MemorySegment.copy(ALL, JAVA_BYTE, device, host, JAVA_BYTE, 0, host.byteSize());
  }

  @Override
  public void copy(long from, long to, long bytes) {
    MemorySegment.copy(ALL, JAVA_BYTE, from, ALL, JAVA_BYTE, to, bytes);
  }

  @Override
  public void set(long address, byte value, long bytes) {
    ALL.asSlice(address, bytes).fill(value);
  }

  @Override
  public long load(KernelSource source) {
    Path library = compiler.kernels(source); // takes seconds, and does not keep others from theirs
    synchronized (this) {
      modules.add(SymbolLookup.libraryLookup(library, Arena.global()));
      return modules.size() - 1L;
    }
  }

  /**
   * The kernels that a file declares, macros expanded.
   *
   * @param source the file
   * @return its kernels in order
   */
  public List<KernelDeclaration> declarations(KernelSource source) {
    return compiler.declarations(source);
  }

  @Override
  public synchronized long function(long module, String symbol) {
    return modules.get((int) module).findOrThrow("emulated_" + symbol).address();
  }

  /** One launch at a time: the threads of a device share its state. */
  @Override
  public synchronized void launch(long function, Grid grid, Arguments arguments) {
    if (grid.threads() < 1 || grid.threads() > MOST_THREADS || grid.x() < 1 || grid.y() < 1) {
      throw new TensorException("cuda-emulated: no device launches " + grid);
    }
    if (grid.sharedBytes() > attribute(Attribute.SHARED_BYTES_PER_BLOCK)) {
      throw new TensorException("cuda-emulated: too much shared memory: " + grid);
    }
    int[] sizes = {grid.x(), grid.y(), 1, grid.threads(), 1, 1};
    MemorySegment.copy(sizes, 0, launch, JAVA_INT, 0, sizes.length);
    launch.set(JAVA_INT, SHARED, grid.sharedBytes());
    launch.set(JAVA_INT, COOPERATIVE, grid.cooperative() ? 1 : 0);
    launch.set(JAVA_INT, REVERSE, reverse ? 1 : 0);
    launch.set(JAVA_BYTE, ERROR, (byte) 0);
    int failed;
    try {
      failed =
          (int)
              LAUNCH.invokeExact(MemorySegment.ofAddress(function), launch, arguments.addresses());
    } catch (Throwable e) {
      throw new AssertionError("kernels are callable", e);
    }
    if (failed != 0) {
      throw new TensorException("cuda-emulated: " + launch.getString(ERROR));
    }
  }

  @Override
  public void gemm(BatchedGemm p) {
    try (var arena = Arena.ofConfined()) {
      gemm.invokeExact(
          p.type() == DType.F64 ? 1 : 0,
          precision == Precision.BF16 ? 1 : 0,
          arena.allocateFrom(JAVA_LONG, p.m(), p.n(), p.k(), p.batch()),
          matrix(p.a(), arena),
          matrix(p.b(), arena),
          matrix(p.y(), arena),
          p.beta());
    } catch (Throwable e) {
      throw new AssertionError("emulated_gemm is callable", e);
    }
  }

  private static MemorySegment matrix(BatchedGemm.Matrix x, Arena arena) {
    long row = x.transposed() ? 1 : x.lead();
    long column = x.transposed() ? x.lead() : 1;
    return arena.allocateFrom(JAVA_LONG, x.address(), row, column, x.apart());
  }

  @Override
  public void synchronize() {}
}
