package carousel.nn.io;

import carousel.tensor.Tensor;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * All that a training needs to go on from a step, in one safetensors file; its checksum was right when
 * {@link Checkpoints#newest} found it.
 *
 * <p>Tensors of one part have names with one prefix, such as {@code optimizer.}.
 *
 * @param file where it is
 * @param step its number
 * @param metadata the free strings it was saved with
 */
public record Checkpoint(Path file, long step, Map<String, String> metadata) {
  /** Copies the strings. */
  public Checkpoint {
    metadata = Map.copyOf(metadata);
  }

  /**
   * Reads and checks a file.
   *
   * @throws SafetensorsException if it is missing or damaged
   */
  static Checkpoint read(Path file, long step) throws IOException {
    try (var channel = FileChannel.open(file, StandardOpenOption.READ)) {
      var header = SafetensorsHeader.read(file, channel);
      Checksum.verify(file, channel, header);
      var metadata = new LinkedHashMap<>(header.metadata());
      metadata.remove(Checksum.KEY);
      return new Checkpoint(file, step, metadata);
    }
  }

  /**
   * Reads the tensors of a part, as {@link carousel.nn.optim.Optimizer#restore} takes them.
   *
   * @param prefix what their names begin with
   * @return by name without the prefix; new tensors of the innermost scope, on its device
   * @throws SafetensorsException if the file is gone
   * @throws IOException if it cannot be read
   */
  public Map<String, Tensor> load(String prefix) throws IOException {
    try (var open = SafetensorsFile.open(file)) {
      return part(open, prefix).tensors();
    }
  }

  /**
   * Overwrites tensors, the weights of a model, by those of a part. All names, types and shapes are
   * compared first, so that a checkpoint of another model changes nothing.
   *
   * @param prefix what the names of the part begin with
   * @param targets by name without the prefix; written in place
   * @throws SafetensorsException if names, types or shapes differ; the message lists how
   * @throws IOException if the file cannot be read
   */
  public void loadInto(String prefix, Map<String, Tensor> targets) throws IOException {
    try (var open = SafetensorsFile.open(file)) {
      part(open, prefix).into(targets);
    }
  }

  /** What differs between a part and tensors that it is to overwrite, each in some words. */
  List<String> differences(String prefix, Map<String, Tensor> targets) throws IOException {
    try (var open = SafetensorsFile.open(file)) {
      var inner = part(open, prefix).differences(targets, true);
      return inner.stream()
          .map(each -> prefix.substring(0, prefix.length() - 1) + ": " + each)
          .toList();
    }
  }

  /** The parts that there are tensors of: what stands before a separator. */
  Set<String> parts(String separator) throws IOException {
    try (var open = SafetensorsFile.open(file)) {
      var parts = new TreeSet<String>();
      for (var name : open.tensors().keySet()) {
        int end = name.indexOf(separator);
        parts.add(end < 0 ? name : name.substring(0, end));
      }
      return parts;
    }
  }

  SafetensorsException wrong(String problem) {
    return new SafetensorsException(file, "this is no checkpoint of this training: " + problem);
  }

  private Loading part(SafetensorsFile open, String prefix) {
    var part = new LinkedHashMap<String, StoredTensor>();
    for (var tensor : open.tensors().values()) {
      if (!tensor.name().startsWith(prefix)) {
        continue;
      }
      String name = tensor.name().substring(prefix.length());
      part.put(name, tensor.named(name));
    }
    return new Loading(
        part,
        name -> open.read(prefix + name),
        _ -> false,
        problem -> new SafetensorsException(file, problem));
  }
}
