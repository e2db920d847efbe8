package carousel.nn.io;

import carousel.nn.Parameters;
import carousel.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Map;

/**
 * Named tensors to and from safetensors files, the format that PyTorch's {@code safetensors} opens:
 * {@code name → tensor}, every value bit for bit. F16 and BF16 are read as F32, exactly, and I64 as
 * I32, where a number that does not fit is an error; {@link TensorSource#of(String, Tensor,
 * StoredType)} writes these types.
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
   * @see SafetensorsFile#write to store tensors as other element types
   */
  public static void save(Path path, Map<String, Tensor> tensors, Map<String, String> metadata)
      throws IOException {
    var sources = new ArrayList<TensorSource>();
    tensors.forEach((name, tensor) -> sources.add(TensorSource.of(name, tensor)));
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
    save(path, Loading.values(parameters), metadata);
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
    try (var file = SafetensorsFile.open(path)) {
      return loading(path, file).tensors();
    }
  }

  /**
   * Reads some tensors of a file. What the others are does not matter: they may be of types that tensors
   * do not have.
   *
   * @param path the file
   * @param names which
   * @return by name, in the order of the names; new tensors of the innermost scope, on its device
   * @throws SafetensorsException if the file is missing, truncated or not sound, lacks one of the names, or has one
   *     of an element type that tensors do not have
   * @throws IOException if it cannot be read
   */
  public static Map<String, Tensor> load(Path path, Collection<String> names) throws IOException {
    try (var file = SafetensorsFile.open(path)) {
      return loading(path, file).tensors(names);
    }
  }

  /**
   * Overwrites those tensors that a file has too, and says which: for a model with a new head, or
   * part of one. What is on both sides must be of one type and shape, or nothing changes.
   *
   * @param path the file
   * @param targets by name; written in place
   * @return what was loaded, what the file lacks and what the targets lack
   * @throws SafetensorsException if the file is missing, truncated or not sound, or if a type or a shape differs
   * @throws IOException if it cannot be read
   */
  public static LoadReport loadMatchingInto(Path path, Map<String, Tensor> targets)
      throws IOException {
    try (var file = SafetensorsFile.open(path)) {
      return loading(path, file).matchingInto(targets);
    }
  }

  /**
   * Overwrites those weights of a model that a file has too, as {@link #loadMatchingInto(Path, Map)} does.
   *
   * @param path the file
   * @param parameters as {@code model.parameters()} gives them; written in place
   * @return what was loaded, what the file lacks and what the model lacks
   * @throws SafetensorsException if the file is missing, truncated or not sound, or if a type or a shape differs
   * @throws IOException if it cannot be read
   */
  public static LoadReport loadMatchingInto(Path path, Parameters parameters) throws IOException {
    return loadMatchingInto(path, Loading.values(parameters));
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
      loading(path, file).into(targets);
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
    loadInto(path, Loading.values(parameters));
  }

  private static Loading loading(Path path, SafetensorsFile file) {
    return new Loading(
        file.tensors(), file::read, name -> false, what -> new SafetensorsException(path, what));
  }
}
