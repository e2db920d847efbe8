package carousel.cuda.launch;

import carousel.cuda.driver.Arguments;
import carousel.cuda.driver.CudaDriver;
import carousel.cuda.driver.Grid;
import carousel.cuda.replay.CudaRecorder;
import carousel.cuda.replay.CudaRecording;
import carousel.tensor.DType;
import carousel.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Starts kernels on one device: compiles a file when its first kernel is wanted, and writes arguments.
 *
 * <pre>{@code
 * launcher.call(kernel).pointer(x).pointer(y).positions(at).start(launcher.elements(at));
 * }</pre>
 */
public final class Launcher {
  /** Enough blocks to keep a multiprocessor busy; loops of kernels go on from there. */
  private static final int BLOCKS_PER_MULTIPROCESSOR = 16;

  private final CudaRecorder recorder;
  private final CudaDriver driver;
  private final int multiprocessors;
  private final Map<String, Long> modules = new ConcurrentHashMap<>();
  private final Map<Kernel, Long> functions = new ConcurrentHashMap<>();
  private final ThreadLocal<Call> calls = ThreadLocal.withInitial(Call::new);

  public Launcher(CudaRecorder recorder) {
    this.recorder = recorder;
    this.driver = recorder.driver();
    this.multiprocessors = driver.attribute(CudaDriver.Attribute.MULTIPROCESSORS);
  }

  public CudaDriver driver() {
    return driver;
  }

  /** What this thread records; null if nothing. */
  public @Nullable CudaRecording recording() {
    return recorder.current();
  }

  int multiprocessors() {
    return multiprocessors;
  }

  /** A grid whose threads share a number of items, one each if there are not too many. */
  public Grid elements(long items) {
    long blocks = Math.ceilDiv(items, Grid.THREADS);
    return Grid.of(Math.clamp(blocks, 1, multiprocessors * BLOCKS_PER_MULTIPROCESSOR));
  }

  /** A grid for an elementwise loop: a thread per element, or per 16 bytes. */
  public Grid elements(Positions at) {
    return elements(Math.ceilDiv(at.count(), at.pack()));
  }

  /**
   * Starts an elementwise kernel, which takes the inputs, the result, and where their elements lie.
   *
   * @param y the result
   * @param inputs operands of its shape
   */
  public void map(Kernel kernel, Tensor y, Tensor... inputs) {
    View[] views = new View[inputs.length];
    for (int i = 0; i < views.length; i++) {
      views[i] = View.of(inputs[i]);
    }
    map(kernel, View.of(y), views);
  }

  /** The same, of views. */
  public void map(Kernel kernel, View y, View... inputs) {
    if (y.count() == 0) {
      return;
    }
    View[] operands = new View[inputs.length + 1];
    operands[0] = y;
    System.arraycopy(inputs, 0, operands, 1, inputs.length);
    var at = Positions.of(operands);
    if (at.rank() > Positions.MAX_RANK) {
      mapParts(kernel, y, inputs);
      return;
    }
    Call call = call(kernel);
    for (View x : inputs) {
      call.pointer(x.address());
    }
    call.pointer(y.address()).positions(at).start(elements(at));
  }

  /** More axes than kernels take: a launch per position of the first that has several. */
  private void mapParts(Kernel kernel, View y, View... inputs) {
    List<View> parts = y.parts();
    List<List<View>> inputParts = Arrays.stream(inputs).map(View::parts).toList();
    for (int i = 0; i < parts.size(); i++) {
      int part = i;
      map(kernel, parts.get(i), inputParts.stream().map(x -> x.get(part)).toArray(View[]::new));
    }
  }

  /** Begins a call; its arguments follow in order. Between them others may begin and end. */
  public Call call(Kernel kernel) {
    Call call = calls.get();
    return (call.kernel == NONE ? call : new Call()).of(kernel);
  }

  private long function(Kernel kernel) {
    Long known = functions.get(kernel);
    if (known != null) {
      return known;
    }
    return functions.computeIfAbsent(
        kernel,
        k -> {
          long module = modules.computeIfAbsent(k.file(), _ -> driver.load(k.source()));
          return driver.function(module, k.symbol());
        });
  }

  /** The arguments of a kernel, and its start. */
  public final class Call {
    private final Arguments arguments = new Arguments();
    private Kernel kernel = NONE;
    private @Nullable DeviceErrors errors;

    private Call of(Kernel next) {
      kernel = next;
      errors = null;
      arguments.clear();
      return this;
    }

    /** Makes room for an argument, which must be of the type the kernel takes there. */
    private long next(ParameterType type) {
      int count = arguments.count();
      if (count >= kernel.parameters().size() || kernel.parameters().get(count) != type) {
        throw new IllegalArgumentException(
            kernel + " does not take " + type + " as argument " + count);
      }
      return arguments.next(type.bytes());
    }

    public Call pointer(long address) {
      arguments.values().set(ValueLayout.JAVA_LONG, next(ParameterType.POINTER), address);
      return this;
    }

    public Call i32(int value) {
      arguments.values().set(ValueLayout.JAVA_INT, next(ParameterType.I32), value);
      return this;
    }

    public Call i64(long value) {
      arguments.values().set(ValueLayout.JAVA_LONG, next(ParameterType.I64), value);
      return this;
    }

    Call f32(float value) {
      arguments.values().set(ValueLayout.JAVA_FLOAT, next(ParameterType.F32), value);
      return this;
    }

    public Call f64(double value) {
      arguments.values().set(ValueLayout.JAVA_DOUBLE, next(ParameterType.F64), value);
      return this;
    }

    /** A number as an argument of the tensor's floating type. */
    Call number(DType type, double value) {
      return type == DType.F32 ? f32((float) value) : f64(value);
    }

    public Call positions(Positions at) {
      at.write(arguments.values(), next(ParameterType.positions(at.operands())));
      return this;
    }

    /** What a kernel may find wrong: whose number it is to report, and where. */
    public Call errors(DeviceErrors found, DeviceErrors.Checked op) {
      if (op == DeviceErrors.Checked.NONE) {
        return i32(0).pointer(0);
      }
      errors = found;
      return i32(op.ordinal()).pointer(found.address());
    }

    /** Starts the kernel with the arguments given. */
    public void start(Grid grid) {
      Kernel started = kernel;
      kernel = NONE;
      if (arguments.count() != started.parameters().size()) {
        throw new IllegalArgumentException(
            started + " was given " + arguments.count() + " arguments");
      }
      driver.launch(function(started), grid, arguments);
      if (errors != null) {
        errors.launched();
      }
    }
  }

  private static final Kernel NONE = new Kernel("", "");
}
