package carousel.tensor.golden;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A golden file: named tensors, and metadata that states the equations, the hyper-parameters and
 * the conventions behind them. The scripts under {@code src/test/python} of each module make the
 * files; keys are described there and in the metadata of each file.
 *
 * @param name the file's name without folder and ending
 * @param tensors the tensors by name, in order of name
 * @param metadata what the file says of itself
 */
public record Golden(String name, Map<String, GoldenTensor> tensors, Map<String, String> metadata) {

  /**
   * The folder on the class path. Its name has a hyphen so that it is no package: a resource in a
   * package of a named module is hidden from readers in another module, and this reader serves the
   * tests of every module.
   */
  private static final String FOLDER = "pytorch-goldens/";

  /**
   * Reads {@code pytorch-goldens/<name>.safetensors} from the class path.
   *
   * @throws IllegalArgumentException if there is no such file or it is not a whole safetensors file
   */
  public static Golden load(String name) {
    String path = FOLDER + name + ".safetensors";
    try (var in = Golden.class.getClassLoader().getResourceAsStream(path)) {
      if (in == null) {
        throw new IllegalArgumentException(
            "golden: no " + path + " on the class path; src/test/python/goldens.py writes it");
      }
      return parse(name, in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The tensor under a key; the error for a key that is not there lists those that are. */
  public GoldenTensor tensor(String key) {
    var tensor = tensors.get(key);
    if (tensor == null) {
      throw new IllegalArgumentException(
          "golden " + name + ": no tensor '" + key + "', it has " + tensors.keySet());
    }
    return tensor;
  }

  /** The elements of {@link #tensor(String)}. */
  public double[] values(String key) {
    return tensor(key).values();
  }

  /** The shape of {@link #tensor(String)}. */
  public int[] shape(String key) {
    return tensor(key).shape();
  }

  /**
   * Holds {@code actual} against the tensor under {@code key}: as many elements, and each within
   * {@code tolerance * max(1, |expected|)}. NaN is equal to NaN, an infinity only to itself, and 0
   * to -0.
   *
   * @throws AssertionError naming the file, the key, the worst element and both values
   */
  public void expect(String key, double[] actual, double tolerance) {
    var expected = values(key);
    if (actual.length != expected.length) {
      throw new AssertionError(
          String.format(
              Locale.ROOT,
              "%s/%s: %d elements, expected %d of shape %s",
              name,
              key,
              actual.length,
              expected.length,
              Arrays.toString(shape(key))));
    }
    int worst = -1;
    double largest = tolerance;
    for (int i = 0; i < expected.length; i++) {
      double error = error(actual[i], expected[i]);
      if (error > largest) {
        worst = i;
        largest = error;
      }
    }
    if (worst >= 0) {
      throw new AssertionError(
          String.format(
              Locale.ROOT,
              "%s/%s: at %s is %s, expected %s (error %.3g, allowed %.3g)",
              name,
              key,
              Arrays.toString(coordinates(worst, shape(key))),
              actual[worst],
              expected[worst],
              largest,
              tolerance));
    }
  }

  private static double error(double actual, double expected) {
    if (Double.compare(actual, expected) == 0) {
      return 0;
    }
    double error = Math.abs(actual - expected) / Math.max(1, Math.abs(expected));
    return Double.isNaN(error) ? Double.POSITIVE_INFINITY : error;
  }

  private static int[] coordinates(int index, int[] shape) {
    var result = new int[shape.length];
    for (int axis = shape.length - 1; axis >= 0; axis--) {
      result[axis] = index % shape[axis];
      index /= shape[axis];
    }
    return result;
  }

  /**
   * The keys that start with a prefix, without it. Of a recurrent golden {@code under("grad.")} are
   * the names of all inputs: the sequence, the initial state and the weights.
   */
  public List<String> under(String prefix) {
    return tensors.keySet().stream()
        .filter(key -> key.startsWith(prefix))
        .map(key -> key.substring(prefix.length()))
        .toList();
  }

  /** Parses the bytes of a safetensors file: u64 header length, JSON header, data. */
  static Golden parse(String name, byte[] file) {
    var bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    require(name, file.length >= Long.BYTES, "shorter than its header length");
    long length = bytes.getLong();
    require(
        name,
        length >= 2 && length <= bytes.remaining(),
        "header of " + length + " bytes in a file of " + file.length);
    var header = HeaderParser.parse(new String(file, Long.BYTES, (int) length, UTF_8));
    var data = bytes.slice(Long.BYTES + (int) length, file.length - Long.BYTES - (int) length);
    data.order(ByteOrder.LITTLE_ENDIAN);

    var tensors = new TreeMap<String, GoldenTensor>();
    var metadata = new TreeMap<String, String>();
    header.forEach((key, entry) -> {
      var fields = (Map<?, ?>) entry;
      if (key.equals("__metadata__")) {
        fields.forEach((k, v) -> metadata.put((String) k, (String) v));
      } else {
        tensors.put(key, tensor(name + "/" + key, fields, data));
      }
    });
    return new Golden(name, tensors, metadata);
  }

  private static GoldenTensor tensor(String where, Map<?, ?> fields, ByteBuffer data) {
    var shape = ints(where, fields.get("shape"));
    var offsets = ints(where, fields.get("data_offsets"));
    int count = 1;
    for (int size : shape) {
      count = Math.multiplyExact(count, size);
    }
    String dtype = String.valueOf(fields.get("dtype"));
    int width =
        switch (dtype) {
          case "F64" -> Double.BYTES;
          case "F32" -> Float.BYTES;
          case "I32" -> Integer.BYTES;
          case "BOOL" -> 1;
          default -> throw new IllegalArgumentException("golden " + where + ": dtype " + dtype);
        };
    require(
        where,
        offsets.length == 2
            && offsets[0] >= 0
            && offsets[1] - offsets[0] == count * width
            && offsets[1] <= data.limit(),
        "data offsets do not hold " + count + " × " + dtype);
    var values = new double[count];
    for (int i = 0; i < count; i++) {
      int at = offsets[0] + i * width;
      values[i] =
          switch (dtype) {
            case "F64" -> data.getDouble(at);
            case "F32" -> data.getFloat(at);
            case "I32" -> data.getInt(at);
            default -> data.get(at);
          };
    }
    return new GoldenTensor(dtype, shape, values);
  }

  private static int[] ints(String where, @Nullable Object value) {
    if (value instanceof List<?> list) {
      return list.stream().mapToInt(item -> ((Number) item).intValue()).toArray();
    }
    throw new IllegalArgumentException("golden " + where + ": not a list of numbers: " + value);
  }

  private static void require(String where, boolean condition, String otherwise) {
    if (!condition) {
      throw new IllegalArgumentException("golden " + where + ": " + otherwise);
    }
  }
}
