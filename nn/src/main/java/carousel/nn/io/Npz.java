package carousel.nn.io;

import carousel.nn.Parameters;
import carousel.tensor.Tensor;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.CheckedOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Named tensors to and from npz files, as {@code numpy.savez} and {@code numpy.load} have them: a zip
 * file of {@link Npy} arrays, stored or compressed when read, stored when written.
 *
 * <p>No entry is ever unpacked to a file, and none is unpacked further than its array says.
 *
 * <p>Source: NumPy's {@code numpy.savez}; PKWARE's APPNOTE, with its 64-bit sizes.
 */
public final class Npz {
  /** The first moment that a zip file can name, so that equal contents give equal files. */
  private static final LocalDateTime EPOCH = LocalDateTime.of(1980, 1, 1, 0, 0);

  private Npz() {}

  /**
   * Writes tensors, atomically.
   *
   * @param path the file to create or replace; its folder must exist
   * @param tensors by name; of any layout and device
   * @throws IOException if the file cannot be written; an old file is then as it was
   */
  public static void save(Path path, Map<String, Tensor> tensors) throws IOException {
    var sources = new ArrayList<TensorSource>();
    tensors.forEach((name, tensor) -> sources.add(TensorSource.of(name, tensor)));
    save(path, sources);
  }

  /**
   * Writes tensors, some as element types that tensors do not have, F16 or I64.
   *
   * @param path the file to create or replace; its folder must exist
   * @param sources the tensors, in the order in which they are to lie
   * @throws NpyException if two sources have one name, or NumPy has no such element type
   * @throws IOException if the file cannot be written; an old file is then as it was
   */
  public static void save(Path path, List<TensorSource> sources) throws IOException {
    var names = new HashSet<String>();
    for (var source : sources) {
      Npy.checkType(path, source);
      if (!names.add(source.name())) {
        throw new NpyException(
            path, "two tensors have the name " + HeaderParser.quote(source.name()));
      }
    }
    AtomicFile.write(
        path,
        channel -> {
          var zip = new ZipOutputStream(Channels.newOutputStream(channel));
          for (var source : sources) {
            zip.putNextEntry(entry(source));
            Npy.write(source, Channels.newChannel(zip));
            zip.closeEntry();
          }
          zip.finish();
        });
  }

  /** What stands before a stored entry names its sum, so its bytes are looked at twice. */
  private static ZipEntry entry(TensorSource source) throws IOException {
    var sum = new CheckedOutputStream(OutputStream.nullOutputStream(), new CRC32());
    var counted = new CountingChannel(Channels.newChannel(sum));
    Npy.write(source, counted);
    var entry = new ZipEntry(source.name() + NpzFile.SUFFIX);
    entry.setMethod(ZipEntry.STORED);
    entry.setTimeLocal(EPOCH);
    entry.setSize(counted.count());
    entry.setCrc(sum.getChecksum().getValue());
    return entry;
  }

  /**
   * Reads all tensors of a file.
   *
   * @param path the file
   * @return by name, without the {@code .npy}, in the order of the file; new tensors of the innermost
   *     scope, on its device
   * @throws NpyException if the file is missing, truncated or not sound, or holds an element type
   *     that tensors do not have
   * @throws IOException if it cannot be read
   */
  public static Map<String, Tensor> load(Path path) throws IOException {
    try (var file = NpzFile.open(path)) {
      return file.loading().tensors();
    }
  }

  /**
   * Reads some tensors of a file. What the others are does not matter: they may be of types that tensors
   * do not have.
   *
   * @param path the file
   * @param names which
   * @return by name, in the order of the names; new tensors of the innermost scope, on its device
   * @throws NpyException if the file is missing, truncated or not sound, lacks one of the names, or has one
   *     of an element type that tensors do not have
   * @throws IOException if it cannot be read
   */
  public static Map<String, Tensor> load(Path path, Collection<String> names) throws IOException {
    try (var file = NpzFile.open(path)) {
      return file.loading().tensors(names);
    }
  }

  /**
   * Overwrites those tensors that a file has too, and says which: for a model with a new head, or
   * part of one. What is on both sides must be of one type and shape, or nothing changes.
   *
   * @param path the file
   * @param targets by name; written in place
   * @return what was loaded, what the file lacks and what the targets lack
   * @throws NpyException if the file is missing, truncated or not sound, or if a type or a shape differs
   * @throws IOException if it cannot be read
   */
  public static LoadReport loadMatchingInto(Path path, Map<String, Tensor> targets)
      throws IOException {
    try (var file = NpzFile.open(path)) {
      return file.loading().matchingInto(targets);
    }
  }

  /**
   * Overwrites those weights of a model that a file has too, as {@link #loadMatchingInto(Path, Map)} does.
   *
   * @param path the file
   * @param parameters as {@code model.parameters()} gives them; written in place
   * @return what was loaded, what the file lacks and what the model lacks
   * @throws NpyException if the file is missing, truncated or not sound, or if a type or a shape differs
   * @throws IOException if it cannot be read
   */
  public static LoadReport loadMatchingInto(Path path, Parameters parameters) throws IOException {
    return loadMatchingInto(path, Loading.values(parameters));
  }

  /**
   * Overwrites tensors by those of a file, as {@link Safetensors#loadInto(Path, Map)} does.
   *
   * @param path the file
   * @param targets by name; written in place
   * @throws NpyException if the file is missing, truncated or not sound, or if its names, types or
   *     shapes are not those of the targets; the message lists the differences
   * @throws IOException if it cannot be read
   */
  public static void loadInto(Path path, Map<String, Tensor> targets) throws IOException {
    try (var file = NpzFile.open(path)) {
      file.loading().into(targets);
    }
  }

  /**
   * Overwrites the weights of a model by those of a file.
   *
   * @param path the file
   * @param parameters as {@code model.parameters()} gives them; written in place
   * @throws NpyException if the file is missing, truncated or not sound, or of another model
   * @throws IOException if it cannot be read
   */
  public static void loadInto(Path path, Parameters parameters) throws IOException {
    loadInto(path, Loading.values(parameters));
  }
}
