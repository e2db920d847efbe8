package carousel.nn.io;

import carousel.nn.Parameters;
import carousel.nn.io.SafetensorsFile.Source;
import carousel.tensor.DType;
import carousel.tensor.Scope;
import carousel.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Named tensors to and from safetensors files, the format that PyTorch's {@code safetensors} opens:
 * {@code name → tensor}, every value bit for bit.
 *
 * <p>Saving is atomic. Loading streams each tensor to where it lives, so that a file of any size
 * needs a buffer and no more.
 *
 * <p>Source: the safetensors format, github.com/huggingface/safetensors.
 */
public final class Safetensors {
  private Safetensors() {}

  /**
   * Writes tensors.
   *
   * @param path the file to create or replace; its folder must exist
   * @param tensors by name; of any layout and device
   * @throws SafetensorsException if a name is the reserved {@code __metadata__}
   * @throws IOException if the file cannot be written; an old file is then as it was
   */
  public static void save(Path path, Map<String, Tensor> tensors) throws IOException {
    save(path, tensors, Map.of());
  }

  /**
   * Writes tensors, and strings that say what they are.
   *
   * @param path the file to create or replace; its folder must exist
   * @param tensors by name; of any layout and device
   * @param metadata free strings, as {@code format → pt}
   * @throws SafetensorsException if a name is the reserved {@code __metadata__}
   * @throws IOException if the file cannot be written; an old file is then as it was
   */
  public static void save(Path path, Map<String, Tensor> tensors, Map<String, String> metadata)
      throws IOException {
    var sources = new ArrayList<Source>();
    tensors.forEach((name, tensor) ->
        sources.add(new Source(name, stored(tensor.dtype()), dims(tensor), tensor::writeTo)));
    SafetensorsFile.write(path, sources, metadata);
  }

  /**
   * Writes the weights of a model under their names.
   *
   * @param path the file to create or replace; its folder must exist
   * @param parameters as {@code model.parameters()} gives them
   * @param metadata free strings, such as the options that the model was made from
   * @throws IOException if the file cannot be written; an old file is then as it was
   */
  public static void save(Path path, Parameters parameters, Map<String, String> metadata)
      throws IOException {
    save(path, values(parameters), metadata);
  }

  /**
   * Reads the free strings of a file and no tensor.
   *
   * @param path the file
   * @return what was given as metadata when it was saved, empty if nothing
   * @throws SafetensorsException if the file is missing, truncated or not sound
   * @throws IOException if it cannot be read
   */
  public static Map<String, String> metadata(Path path) throws IOException {
    try (var file = SafetensorsFile.open(path)) {
      return file.metadata();
    }
  }

  /**
   * Reads all tensors of a file.
   *
   * @param path the file
   * @return by name, in the order of the file; new tensors of the innermost scope, on its device
   * @throws SafetensorsException if the file is missing, truncated or not sound, or holds an
   *     element type that tensors do not have
   * @throws IOException if it cannot be read
   */
  public static Map<String, Tensor> load(Path path) throws IOException {
    try (var file = SafetensorsFile.open(path);
        var loading = Scope.open(Scope.current().device())) {
      for (var stored : file.tensors().values()) checkLoadable(path, stored);
      var tensors = new LinkedHashMap<String, Tensor>();
      for (var stored : file.tensors().values()) {
        var dims = stored.shape().stream().mapToInt(Math::toIntExact).toArray();
        var tensor = Tensor.zeros(DType.valueOf(stored.type().name()), dims);
        tensors.put(stored.name(), tensor.readFrom(file.read(stored.name())));
      }
      tensors.values().forEach(loading::keep);
      return tensors;
    }
  }

  /**
   * Overwrites tensors, the weights of a model, by those of a file. All names, types and shapes are
   * compared first, so that a file of another model changes nothing.
   *
   * @param path the file
   * @param targets by name; written in place
   * @throws SafetensorsException if the file is missing, truncated or not sound, or if its names,
   *     types or shapes are not those of the targets; the message lists the differences
   * @throws IOException if it cannot be read
   */
  public static void loadInto(Path path, Map<String, Tensor> targets) throws IOException {
    try (var file = SafetensorsFile.open(path)) {
      var differences = differences(file.tensors(), targets);
      if (!differences.isEmpty()) {
        throw new SafetensorsException(
            path,
            "these are the weights of another model: %s%s"
                .formatted(
                    String.join("; ", differences.subList(0, Math.min(6, differences.size()))),
                    differences.size() > 6
                        ? "; and %d differences more".formatted(differences.size() - 6)
                        : ""));
      }
      for (var target : targets.entrySet()) {
        var _ = target.getValue().readFrom(file.read(target.getKey()));
      }
    }
  }

  /**
   * Overwrites the weights of a model by those of a file, as {@link #loadInto(Path, Map)} does.
   *
   * @param path the file
   * @param parameters as {@code model.parameters()} gives them; written in place
   * @throws SafetensorsException if the file is missing, truncated or not sound, or of another model
   * @throws IOException if it cannot be read
   */
  public static void loadInto(Path path, Parameters parameters) throws IOException {
    loadInto(path, values(parameters));
  }

  private static Map<String, Tensor> values(Parameters parameters) {
    var values = new LinkedHashMap<String, Tensor>();
    for (var named : parameters) values.put(named.name(), named.value());
    return values;
  }

  private static List<String> differences(
      Map<String, StoredTensor> stored, Map<String, Tensor> targets) {
    var differences = new ArrayList<String>();
    targets.forEach((name, tensor) -> {
      var found = stored.get(name);
      var wanted = tensor.dtype() + " " + tensor.shape();
      if (found == null) {
        differences.add("%s, %s, is missing".formatted(HeaderParser.quote(name), wanted));
      } else if (found.type() != stored(tensor.dtype()) || !found.shape().equals(dims(tensor))) {
        differences.add(
            "%s is %s %s in the file, %s in the model"
                .formatted(
                    HeaderParser.quote(name),
                    found.type(),
                    found.shape().toString().replace(" ", ""),
                    wanted));
      }
    });
    for (var name : stored.keySet()) {
      if (!targets.containsKey(name)) {
        differences.add(HeaderParser.quote(name) + " is not in the model");
      }
    }
    return differences;
  }

  private static void checkLoadable(Path path, StoredTensor stored) {
    var name = HeaderParser.quote(stored.name());
    if (Arrays.stream(DType.values()).noneMatch(d -> d.name().equals(stored.type().name()))) {
      throw new SafetensorsException(
          path,
          "tensor %s is %s; tensors here are F32, F64, I32 or BOOL: convert it where it was made"
              .formatted(name, stored.type()));
    }
    for (var extent : stored.shape()) {
      if (extent > Integer.MAX_VALUE) {
        throw new SafetensorsException(
            path, "tensor %s has an axis of %d, longer than 2^31 - 1".formatted(name, extent));
      }
    }
    // Only the shape of an empty tensor can be this large here: the file holds all other elements.
    if (StoredTensor.overflows(stored.shape())) {
      throw new SafetensorsException(
          path, "tensor %s has the shape %s, too large".formatted(name, stored.shape()));
    }
  }

  private static StoredType stored(DType dtype) {
    return switch (dtype) {
      case F32 -> StoredType.F32;
      case F64 -> StoredType.F64;
      case I32 -> StoredType.I32;
      case BOOL -> StoredType.BOOL;
    };
  }

  private static List<Long> dims(Tensor tensor) {
    return Arrays.stream(tensor.shape().toArray()).mapToObj(d -> (long) d).toList();
  }
}
