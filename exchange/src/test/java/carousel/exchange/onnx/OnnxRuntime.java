package carousel.exchange.onnx;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assumptions.abort;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.nio.ByteBuffer;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** ONNX Runtime, as a function from named tensors to named tensors. */
final class OnnxRuntime implements AutoCloseable {
  private final OrtEnvironment environment;
  private final OrtSession session;

  private OnnxRuntime(OrtEnvironment environment, OrtSession session) {
    this.environment = environment;
    this.session = session;
  }

  /** A model that is ready to run; skips the test where the native library cannot be loaded. */
  static OnnxRuntime open(byte[] model) {
    try {
      var environment = environment();
      try (var options = new OrtSession.SessionOptions()) {
        options.setIntraOpNumThreads(1);
        options.setInterOpNumThreads(1);
        return new OnnxRuntime(environment, environment.createSession(model, options));
      }
    } catch (OrtException e) {
      throw new AssertionError("ONNX Runtime refuses the model", e);
    }
  }

  /** What a file computes; fails where it is refused, as files that are no good are. */
  static Map<String, Tensor> tried(byte[] model, Map<String, Tensor> inputs) throws OrtException {
    var environment = environment();
    try (var options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(1);
      options.setInterOpNumThreads(1);
      // Its optimiser takes what is nearly a layer norm for one.
      options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.NO_OPT);
      options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
      try (var runtime = new OnnxRuntime(environment, environment.createSession(model, options))) {
        // Inputs that nothing reads any more are none.
        var read = new HashMap<>(inputs);
        read.keySet().retainAll(runtime.session.getInputNames());
        return runtime.outputs(read).byName();
      }
    }
  }

  private static OrtEnvironment environment() {
    try {
      return OrtEnvironment.getEnvironment();
    } catch (LinkageError e) {
      // Named on the console too: without the referee the suite says much less.
      System.err.println("SKIPPED: the native library of ONNX Runtime cannot be loaded: " + e);
      return abort("the native library of ONNX Runtime cannot be loaded: " + e);
    }
  }

  /** What a run gave, by name. */
  record Outputs(Map<String, Tensor> byName) {
    Tensor get(String name) {
      return requireNonNull(byName.get(name), () -> name + " is not among " + byName.keySet());
    }
  }

  /** All outputs, in the scope that is innermost; what is I32 here goes in as I64 where that is wanted. */
  Outputs run(Map<String, Tensor> inputs) {
    try {
      return outputs(inputs);
    } catch (OrtException e) {
      throw new AssertionError("ONNX Runtime does not run it", e);
    }
  }

  private Outputs outputs(Map<String, Tensor> inputs) throws OrtException {
    var given = new HashMap<String, OnnxTensor>();
    try {
      for (var input : inputs.entrySet()) {
        given.put(input.getKey(), of(input.getKey(), input.getValue()));
      }
      var outputs = new LinkedHashMap<String, Tensor>();
      try (var result = session.run(given)) {
        for (var output : result) {
          outputs.put(output.getKey(), of((OnnxTensor) output.getValue()));
        }
      }
      return new Outputs(outputs);
    } finally {
      given.values().forEach(OnnxTensor::close);
    }
  }

  private OnnxTensor of(String name, Tensor x) throws OrtException {
    var dims = Arrays.stream(x.shape().toArray()).mapToLong(d -> d).toArray();
    if (x.dtype() == DType.F32) {
      return OnnxTensor.createTensor(environment, FloatBuffer.wrap(x.toFloatArray()), dims);
    }
    if (x.dtype() == DType.F64) {
      return OnnxTensor.createTensor(environment, DoubleBuffer.wrap(x.toDoubleArray()), dims);
    }
    if (x.dtype() == DType.BOOL) {
      var truths = x.cast(DType.I32).toIntArray();
      var bytes = ByteBuffer.allocateDirect(truths.length);
      for (var truth : truths) {
        bytes.put((byte) truth);
      }
      return OnnxTensor.createTensor(environment, bytes.flip(), dims, OnnxJavaType.BOOL);
    }
    var info = requireNonNull(session.getInputInfo().get(name), name).getInfo();
    if (((TensorInfo) info).type == OnnxJavaType.INT64) {
      var wide = Arrays.stream(x.toIntArray()).asLongStream().toArray();
      return OnnxTensor.createTensor(environment, LongBuffer.wrap(wide), dims);
    }
    return OnnxTensor.createTensor(environment, IntBuffer.wrap(x.toIntArray()), dims);
  }

  private static Tensor of(OnnxTensor x) {
    var dims = Arrays.stream(x.getInfo().getShape()).mapToInt(Math::toIntExact).toArray();
    return switch (x.getInfo().type) {
      case INT64 -> {
        var values = x.getLongBuffer();
        var array = new int[values.remaining()];
        for (int i = 0; i < array.length; i++) {
          array[i] = Math.toIntExact(values.get());
        }
        yield Tensor.of(Shape.of(dims), array);
      }
      case INT32 -> {
        var values = x.getIntBuffer();
        var array = new int[values.remaining()];
        values.get(array);
        yield Tensor.of(Shape.of(dims), array);
      }
      case BOOL -> {
        var values = x.getByteBuffer();
        var array = new boolean[values.remaining()];
        for (int i = 0; i < array.length; i++) {
          array[i] = values.get() != 0;
        }
        yield Tensor.of(Shape.of(dims), array);
      }
      case DOUBLE -> {
        var values = x.getDoubleBuffer();
        var array = new double[values.remaining()];
        values.get(array);
        yield Tensor.of(DType.F64, Shape.of(dims), array);
      }
      default -> {
        var values = x.getFloatBuffer();
        var array = new float[values.remaining()];
        values.get(array);
        yield Tensor.of(Shape.of(dims), array);
      }
    };
  }

  @Override
  public void close() {
    try {
      session.close();
    } catch (OrtException e) {
      throw new AssertionError(e);
    }
  }
}
