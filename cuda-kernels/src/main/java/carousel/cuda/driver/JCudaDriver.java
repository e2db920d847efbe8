package carousel.cuda.driver;

import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;
import static jcuda.driver.CUstream_flags.CU_STREAM_NON_BLOCKING;
import static jcuda.driver.JCudaDriver.cuCtxSetCurrent;
import static jcuda.driver.JCudaDriver.cuDeviceGet;
import static jcuda.driver.JCudaDriver.cuDeviceGetAttribute;
import static jcuda.driver.JCudaDriver.cuDevicePrimaryCtxRetain;
import static jcuda.driver.JCudaDriver.cuGetErrorName;
import static jcuda.driver.JCudaDriver.cuInit;
import static jcuda.driver.JCudaDriver.cuLaunchCooperativeKernel;
import static jcuda.driver.JCudaDriver.cuLaunchKernel;
import static jcuda.driver.JCudaDriver.cuMemAllocAsync;
import static jcuda.driver.JCudaDriver.cuMemFreeAsync;
import static jcuda.driver.JCudaDriver.cuMemcpyDtoDAsync;
import static jcuda.driver.JCudaDriver.cuMemsetD8Async;
import static jcuda.driver.JCudaDriver.cuStreamCreate;
import static jcuda.driver.JCudaDriver.cuStreamSynchronize;
import static jcuda.driver.JCudaDriver.setExceptionsEnabled;

import carousel.tensor.TensorException;
import carousel.tensor.spi.Setting;
import java.lang.foreign.MemorySegment;
import java.util.function.IntSupplier;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import org.jspecify.annotations.Nullable;

/**
 * A GPU, by the driver API as JCuda binds it. JCuda's classes must be on the path, and the driver's library
 * loaded, before this class is.
 *
 * <p>One stream of its own carries all work, memory included, so that order is all the synchronisation
 * there is. Every call first makes the device current to the thread: any thread may call.
 */
public final class JCudaDriver implements CudaDriver {
  private final String name;
  private final String title;
  private final Compiler compiler;
  private final CudaLibrary cublas;
  private final Precision precision = Precision.configured();
  private final boolean blocking = Setting.CUDA_BLOCKING.isTrue();
  private final CUdevice device = new CUdevice();
  private final CUcontext context = new CUcontext();
  private final int capability;
  private final Staging staging;
  private final Modules modules = new Modules(this);
  private volatile String lastKernel = "";
  private final StreamBlas lane;

  /** Where the calls of a graph are captured, while other threads go on in the other. */
  private @Nullable StreamBlas captured;

  private volatile @Nullable Thread capturing;

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
    this.lane = lane();
    this.capability =
        10 * query(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
            + query(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
    this.staging = new Staging(this, lane.stream());
  }

  private StreamBlas lane() {
    var stream = new Stream();
    check("cuStreamCreate", cuStreamCreate(stream, CU_STREAM_NON_BLOCKING));
    return new StreamBlas(stream, this::blas);
  }

  /** Where the calls of this thread go. */
  private StreamBlas here() {
    StreamBlas other = captured;
    return other != null && capturing == Thread.currentThread() ? other : lane;
  }

  private Stream stream() {
    return here().stream();
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
    var address = new DeviceAddress();
    int result = cuMemAllocAsync(address, bytes, stream());
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
    check("cuMemFreeAsync", cuMemFreeAsync(new DeviceAddress(address), stream()));
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
        cuMemcpyDtoDAsync(new DeviceAddress(to), new DeviceAddress(from), bytes, stream()));
  }

  @Override
  public void set(long address, byte value, long bytes) {
    enter();
    check("cuMemsetD8Async", cuMemsetD8Async(new DeviceAddress(address), value, bytes, stream()));
  }

  @Override
  public long load(KernelSource source) {
    byte[] code = compiler.compile(source, capability);
    enter();
    return modules.load(source.name(), code);
  }

  @Override
  public long function(long module, String symbol) {
    enter();
    return modules.function(module, symbol);
  }

  @Override
  public void launch(long function, Grid grid, Arguments given) {
    enter();
    Modules.Function kernel = modules.get(function);
    lastKernel = kernel.symbol;
    kernel.allow(grid.sharedBytes());
    Pointer arguments = new NativeAddress(given.addresses().address());
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
                stream(),
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
                stream(),
                arguments,
                null);
    if (result != 0) {
      check("the launch of " + kernel.symbol + ", " + grid, result);
    }
    if (blocking) {
      check("cuStreamSynchronize after " + kernel.symbol, cuStreamSynchronize(stream()));
    }
  }

  @Override
  public void gemm(BatchedGemm product) {
    enter();
    lastKernel = "a matrix product";
    here().blas().gemm(product);
    if (blocking) {
      check("cuStreamSynchronize after a matrix product", cuStreamSynchronize(stream()));
    }
  }

  /** JCublas2 is linked to cuBLAS 12 by name and by symbol version. */
  private Blas blas(Stream stream) {
    return cublas.major() == 12
        ? new JCublas(stream, precision)
        : new ForeignCublas(cublas.symbols(), stream.address(), precision);
  }

  /** Where every call waits, a graph is made of calls that do. */
  @Override
  public LaunchGraph graph(Runnable calls) {
    return blocking ? CudaDriver.super.graph(calls) : capture(calls);
  }

  private synchronized LaunchGraph capture(Runnable calls) {
    enter();
    StreamBlas other = captured;
    if (other == null) {
      other = lane();
      captured = other;
    }
    if (lane.multiplies()) {
      var unused = other.blas(); // cuBLAS takes its memory when it is started, not while captured
    }
    capturing = Thread.currentThread();
    try {
      return new CapturedGraph(this, other.stream(), lane.stream(), calls);
    } finally {
      capturing = null;
    }
  }

  /** Makes a call that is no kernel's. */
  void run(String what, IntSupplier call) {
    enter();
    lastKernel = what;
    check(what, call.getAsInt());
  }

  @Override
  public void synchronize() {
    enter();
    check("cuStreamSynchronize", cuStreamSynchronize(stream()));
  }
}
