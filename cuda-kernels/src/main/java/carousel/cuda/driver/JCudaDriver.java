package carousel.cuda.driver;

import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;
import static jcuda.driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
import static jcuda.driver.CUstream_flags.CU_STREAM_NON_BLOCKING;
import static jcuda.driver.JCudaDriver.cuCtxSetCurrent;
import static jcuda.driver.JCudaDriver.cuDeviceGet;
import static jcuda.driver.JCudaDriver.cuDeviceGetAttribute;
import static jcuda.driver.JCudaDriver.cuDevicePrimaryCtxRetain;
import static jcuda.driver.JCudaDriver.cuFuncSetAttribute;
import static jcuda.driver.JCudaDriver.cuGetErrorName;
import static jcuda.driver.JCudaDriver.cuInit;
import static jcuda.driver.JCudaDriver.cuLaunchCooperativeKernel;
import static jcuda.driver.JCudaDriver.cuLaunchKernel;
import static jcuda.driver.JCudaDriver.cuMemAllocAsync;
import static jcuda.driver.JCudaDriver.cuMemFreeAsync;
import static jcuda.driver.JCudaDriver.cuMemcpyDtoDAsync;
import static jcuda.driver.JCudaDriver.cuMemsetD8Async;
import static jcuda.driver.JCudaDriver.cuModuleGetFunction;
import static jcuda.driver.JCudaDriver.cuModuleLoadData;
import static jcuda.driver.JCudaDriver.cuStreamCreate;
import static jcuda.driver.JCudaDriver.cuStreamSynchronize;
import static jcuda.driver.JCudaDriver.setExceptionsEnabled;

import carousel.tensor.TensorException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import org.jspecify.annotations.Nullable;

/**
 * A GPU, by the driver API as JCuda binds it. JCuda's classes must be on the path, and the driver's library
 * loaded, before this class is.
 *
 * <p>One stream of its own carries all work, memory included, so that order is all the synchronisation
 * there is. Every call first makes the device current to the thread: any thread may call.
 */
public final class JCudaDriver implements CudaDriver {
  private static final int SHARED_WITHOUT_ASKING = 48 << 10;

  private final String name;
  private final String title;
  private final Compiler compiler;
  private final CudaLibrary cublas;
  private final Precision precision = Precision.configured();
  private final boolean blocking = Boolean.getBoolean(BLOCKING);
  private final CUdevice device = new CUdevice();
  private final CUcontext context = new CUcontext();
  private final Stream stream = new Stream();
  private final int capability;
  private final Staging staging;
  private final List<CUmodule> modules = new ArrayList<>();
  private final List<Function> functions = new ArrayList<>();
  private volatile String lastKernel = "";
  private @Nullable Blas blas;

  /** A kernel, and how much dynamic shared memory it was allowed so far. */
  private static final class Function {
    final CUfunction handle = new CUfunction();
    final String symbol;
    int shared = SHARED_WITHOUT_ASKING;

    Function(String symbol) {
      this.symbol = symbol;
    }
  }

  /**
   * Opens a device.
   *
   * @param index the driver's number of it
   * @param title the device, for people
   * @param compiler what compiles kernels
   * @param cublas the matrix products; started when the first is wanted
   * @throws TensorException if the driver refuses
   */
  public JCudaDriver(int index, String title, Compiler compiler, CudaLibrary cublas) {
    this.name = "cuda:" + index;
    this.title = title;
    this.compiler = compiler;
    this.cublas = cublas;
    setExceptionsEnabled(false);
    check("cuInit", cuInit(0));
    check("cuDeviceGet", cuDeviceGet(device, index));
    check("cuDevicePrimaryCtxRetain", cuDevicePrimaryCtxRetain(context, device));
    enter();
    check("cuStreamCreate", cuStreamCreate(stream, CU_STREAM_NON_BLOCKING));
    this.capability =
        10 * query(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
            + query(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
    this.staging = new Staging(this, stream);
  }

  /** @throws TensorException if a call of the driver failed */
  void check(String call, int result) {
    if (result != 0) {
      String[] error = {"unnamed"};
      cuGetErrorName(result, error);
      throw DriverFailure.of(result).in(name, call, result, error[0], lastKernel);
    }
  }

  /** Makes the device current to this thread. */
  private void enter() {
    check("cuCtxSetCurrent", cuCtxSetCurrent(context));
  }

  private int query(int attribute) {
    int[] value = new int[1];
    check("cuDeviceGetAttribute", cuDeviceGetAttribute(value, attribute, device));
    return value[0];
  }

  @Override
  public String description() {
    return title;
  }

  @Override
  public Precision precision() {
    return precision;
  }

  @Override
  public int attribute(Attribute attribute) {
    return switch (attribute) {
      case MULTIPROCESSORS -> query(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
      case SHARED_BYTES_PER_BLOCK -> query(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
      case COMPUTE_CAPABILITY -> capability;
    };
  }

  @Override
  public long allocate(long bytes) {
    enter();
    DeviceAddress address = new DeviceAddress();
    int result = cuMemAllocAsync(address, bytes, stream);
    if (DriverFailure.of(result) == DriverFailure.MEMORY) {
      return 0;
    }
    check("cuMemAllocAsync", result);
    return address.allocated();
  }

  /** In the order of the stream: work asked for before may still use the memory. */
  @Override
  public void free(long address) {
    enter();
    check("cuMemFreeAsync", cuMemFreeAsync(new DeviceAddress(address), stream));
  }

  @Override
  public void upload(MemorySegment host, long address) {
    enter();
    staging.upload(host, address);
  }

  @Override
  public void download(long address, MemorySegment host) {
    enter();
    staging.download(address, host);
  }

  @Override
  public void copy(long from, long to, long bytes) {
    enter();
    check(
        "cuMemcpyDtoDAsync",
        cuMemcpyDtoDAsync(new DeviceAddress(to), new DeviceAddress(from), bytes, stream));
  }

  @Override
  public void set(long address, byte value, long bytes) {
    enter();
    check("cuMemsetD8Async", cuMemsetD8Async(new DeviceAddress(address), value, bytes, stream));
  }

  @Override
  public long load(KernelSource source) {
    byte[] code = compiler.compile(source, capability);
    enter();
    CUmodule module = new CUmodule();
    check("cuModuleLoadData for " + source.name(), cuModuleLoadData(module, code));
    synchronized (modules) {
      modules.add(module);
      return modules.size() - 1L;
    }
  }

  @Override
  public long function(long module, String symbol) {
    enter();
    Function function = new Function(symbol);
    CUmodule in;
    synchronized (modules) {
      in = modules.get((int) module);
    }
    check("cuModuleGetFunction for " + symbol, cuModuleGetFunction(function.handle, in, symbol));
    synchronized (functions) {
      functions.add(function);
      return functions.size() - 1L;
    }
  }

  @Override
  public void launch(long function, Grid grid, MemorySegment parameters) {
    enter();
    Function kernel;
    synchronized (functions) {
      kernel = functions.get((int) function);
    }
    lastKernel = kernel.symbol;
    allow(kernel, grid.sharedBytes());
    Pointer arguments = new NativeAddress(parameters.address());
    int result =
        grid.cooperative()
            ? cuLaunchCooperativeKernel(
                kernel.handle,
                grid.x(),
                grid.y(),
                1,
                grid.threads(),
                1,
                1,
                grid.sharedBytes(),
                stream,
                arguments)
            : cuLaunchKernel(
                kernel.handle,
                grid.x(),
                grid.y(),
                1,
                grid.threads(),
                1,
                1,
                grid.sharedBytes(),
                stream,
                arguments,
                null);
    if (result != 0) {
      check("the launch of " + kernel.symbol + ", " + grid, result);
    }
    if (blocking) {
      check("cuStreamSynchronize after " + kernel.symbol, cuStreamSynchronize(stream));
    }
  }

  /** More than 48 KB of dynamic shared memory must be asked for once. */
  private void allow(Function kernel, int bytes) {
    synchronized (kernel) {
      if (bytes > kernel.shared) {
        check(
            String.format(
                Locale.ROOT, "cuFuncSetAttribute for %s, %,d bytes", kernel.symbol, bytes),
            cuFuncSetAttribute(
                kernel.handle, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, bytes));
        kernel.shared = bytes;
      }
    }
  }

  @Override
  public void gemm(Gemm product) {
    enter();
    lastKernel = "a matrix product";
    blas().gemm(product);
    if (blocking) {
      check("cuStreamSynchronize after a matrix product", cuStreamSynchronize(stream));
    }
  }

  private synchronized Blas blas() {
    Blas started = blas;
    if (started == null) {
      // JCublas2 is linked to cuBLAS 12 by name and by symbol version.
      started =
          cublas.major() == 12
              ? new JCublas(stream, precision)
              : new ForeignCublas(cublas.symbols(), stream.address(), precision);
      blas = started;
    }
    return started;
  }

  @Override
  public void synchronize() {
    enter();
    check("cuStreamSynchronize", cuStreamSynchronize(stream));
  }
}
