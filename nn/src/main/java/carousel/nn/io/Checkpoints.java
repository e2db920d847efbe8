package carousel.nn.io;

import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A folder that holds the last checkpoints of a training:
 *
 * <pre>{@code
 * var parts = new Parts().with("model", model.parameters()).with("optimizer", optimizer);
 * var checkpoints = new Checkpoints(folder, 3);
 * for (long step = checkpoints.restore(parts, System.err::println); step < steps; step++) {
 *   // ...
 *   checkpoints.save(step + 1, parts);
 * }
 * }</pre>
 *
 * <p>A checkpoint is one file, {@code checkpoint-0000000120.safetensors}, so that its parts are always of
 * one step. It is {@linkplain AtomicFile written as a whole or not at all}, carries the SHA-256 of its
 * bytes, and is checked when it is found; where the newest is damaged the one before it is taken. An
 * older file is removed only when a newer one is safely on the disk.
 *
 * <p>One writer at a time, which {@link FolderLock} sees to. A checkpoint is written between two steps,
 * by the thread that makes them.
 */
public final class Checkpoints {
  private static final Pattern NAME = Pattern.compile("checkpoint-(\\d{1,18})\\.safetensors");

  private static final String NOT_WRITABLE =
      "the folder of the checkpoints cannot be written to, and no checkpoint could be saved; give permission, or name"
          + " another folder";

  private final Path folder;
  private final int keep;
  private final List<Path> damaged = new ArrayList<>();
  private long last = -1;

  private record Candidate(Path file, long step) {}

  /**
   * The checkpoints of a folder.
   *
   * @param folder made by {@link #restore} or with the first checkpoint if it is not there
   * @param keep how many to keep, at least 1; with 2 or more there is one to go back to
   * @throws IllegalArgumentException if {@code keep < 1}, or there is a file where the folder should be
   */
  public Checkpoints(Path folder, int keep) {
    if (keep < 1) {
      throw new IllegalArgumentException("keep must be 1 or more, got " + keep);
    }
    if (Files.exists(folder) && !Files.isDirectory(folder)) {
      throw new IllegalArgumentException(
          "checkpoints: " + folder + " is a file; name a folder, there or to be made");
    }
    this.folder = folder;
    this.keep = keep;
  }

  /**
   * The newest checkpoint that is sound. Those found damaged on the way are removed by the next {@link
   * #save}.
   *
   * @param report told of each damaged one, in one line
   * @return the checkpoint; empty if there is none, or all are damaged
   * @throws IOException if the folder cannot be read
   */
  public Optional<Checkpoint> newest(Consumer<String> report) throws IOException {
    damaged.clear();
    last = -1;
    for (var candidate : newestFirst()) {
      try {
        var checkpoint = Checkpoint.read(candidate.file, candidate.step);
        last = candidate.step;
        return Optional.of(checkpoint);
      } catch (ClosedByInterruptException e) {
        throw e; // which says nothing of the file
      } catch (SafetensorsException e) {
        passOver(candidate, e.getMessage(), report);
      } catch (IOException e) {
        passOver(candidate, candidate.file + ": " + e, report);
      }
    }
    return Optional.empty();
  }

  /**
   * Goes on from the newest checkpoint that is sound, if there is one. If there is none the folder is made, so that a
   * training that could not save would not begin.
   *
   * @param parts what is overwritten by it
   * @param report told of each damaged one, in one line, and if the folder cannot be written to, which a training is to
   *     know, and does not matter to who only looks
   * @return its number; 0 if there is none
   * @throws SafetensorsException if it is of another training: a part is missing or unknown, or a name, a type or a shape
   *     differs; all of that is compared before anything is changed, and the message lists it
   * @throws IOException if the folder cannot be read; or if it holds no checkpoint, and cannot be made or written to
   */
  public long restore(Parts parts, Consumer<String> report) throws IOException {
    var found = newest(report);
    if (found.isEmpty()) {
      make();
      if (!Files.isWritable(folder)) {
        throw new AccessDeniedException(folder.toString(), null, NOT_WRITABLE);
      }
      return 0;
    }
    parts.restore(found.get());
    if (!Files.isWritable(folder)) {
      report.accept(folder + ": " + NOT_WRITABLE);
    }
    return found.get().step();
  }

  private void make() throws IOException {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      var said =
          new FileSystemException(
              folder.toString(),
              null,
              "the folder of the checkpoints cannot be made: " + e + "; name one that can be");
      said.initCause(e);
      throw said;
    }
  }

  /**
   * Writes a checkpoint of parts, as {@link #save(long, Map, Map)} does.
   *
   * @param step its number, not below that of the one before; one of the same number is replaced
   * @param parts what a training goes on from
   * @throws IOException if the folder cannot be written or the disk is full; all checkpoints are then as
   *     they were
   */
  public void save(long step, Parts parts) throws IOException {
    try (var _ = TensorScope.openUnwatched()) { // an optimiser makes tensors of its numbers
      save(step, parts.tensors(), parts.texts());
    }
  }

  private void passOver(Candidate candidate, @Nullable String why, Consumer<String> report) {
    damaged.add(candidate.file);
    report.accept("a damaged checkpoint is passed over: " + why);
  }

  /**
   * Writes a checkpoint and, when it is safe on the disk, removes those that are no longer to be kept.
   *
   * @param step its number, not below that of the one before; one of the same number is replaced
   * @param tensors by name, with a prefix for each part; of any layout and device
   * @param metadata free strings
   * @throws IllegalArgumentException if the step is negative or below the last one, or a string has the name {@value
   *     Checksum#KEY}
   * @throws IllegalStateException if the folder holds newer ones that {@link #newest} was not asked for
   * @throws IOException if the folder cannot be written or the disk is full; all checkpoints are then as
   *     they were
   */
  public void save(long step, Map<String, Tensor> tensors, Map<String, String> metadata)
      throws IOException {
    if (step < 0) {
      throw new IllegalArgumentException("a checkpoint's step is 0 or more, got " + step);
    }
    if (step < last) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "checkpoint %d after %d", step, last));
    }
    if (metadata.containsKey(Checksum.KEY)) {
      throw new IllegalArgumentException("the metadata '" + Checksum.KEY + "' is the checksum's");
    }
    make();
    AtomicFile.removeLeftovers(folder); // first: they may be what fills the disk
    requireNoneUnseen();
    // Joined from strings, not by %d, which may write the digits of another script.
    String digits = Long.toString(step);
    String name = "checkpoint-" + "0".repeat(Math.max(0, 10 - digits.length())) + digits;
    write(folder.resolve(name + ".safetensors"), tensors, metadata);
    last = step;
    prune();
  }

  private void requireNoneUnseen() throws IOException {
    for (var found : newestFirst()) {
      if (found.step > last && !damaged.contains(found.file)) {
        throw new IllegalStateException(
            String.format(
                Locale.ROOT,
                "%s is newer than what this training began with; go on from newest(), or save elsewhere",
                found.file));
      }
    }
  }

  private static void write(Path file, Map<String, Tensor> tensors, Map<String, String> metadata)
      throws IOException {
    var sources = new ArrayList<TensorSource>();
    tensors.forEach((name, tensor) -> sources.add(TensorSource.of(name, tensor)));
    var strings = new LinkedHashMap<>(metadata);
    strings.put(Checksum.KEY, Checksum.NONE);
    var header = SafetensorsFile.layout(file, sources, strings);
    AtomicFile.write(
        file,
        channel -> {
          var summed = new Checksum.Channel(channel);
          SafetensorsFile.writeTo(summed, header, sources);
          Checksum.put(channel, file, header, summed.digits());
        });
  }

  private void prune() throws IOException {
    for (var file : damaged) {
      Files.deleteIfExists(file);
    }
    damaged.clear();
    var files = newestFirst();
    for (var old : files.subList(Math.min(keep, files.size()), files.size())) {
      Files.deleteIfExists(old.file);
    }
  }

  private List<Candidate> newestFirst() throws IOException {
    var found = new ArrayList<Candidate>();
    if (!Files.isDirectory(folder)) {
      return found;
    }
    try (var files = Files.newDirectoryStream(folder)) {
      for (var file : files) {
        var matcher = NAME.matcher(file.getFileName().toString());
        if (matcher.matches()) {
          found.add(new Candidate(file, Long.parseLong(matcher.group(1))));
        }
      }
    }
    found.sort(Comparator.comparingLong(Candidate::step).reversed());
    return found;
  }
}
