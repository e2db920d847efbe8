package carousel.nn.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Replaces a file as a whole or not at all: write a neighbour, force it to the disk, rename it over
 * the target, force the folder.
 *
 * <p>A reader sees the old bytes or the new ones; a full disk or an exception in the middle leaves the
 * old file as it was and removes the neighbour. A process that is killed in the middle leaves the old
 * file and the neighbour; {@link #removeLeftovers} is for these.
 *
 * <p>An interrupt of the writing thread does not break off a write: a channel that it closed is
 * opened anew and written from the start, and the thread is interrupted again when the file is whole.
 */
public final class AtomicFile {
  private static final AtomicLong COUNTER = new AtomicLong();

  /** How often a write begins anew; who interrupts it more often than that wants it to end. */
  private static final int ATTEMPTS = 10;

  private static final String HIDDEN = ".";
  private static final String LEFTOVER = ".tmp";

  private AtomicFile() {}

  /** What puts the bytes of the new file into a channel that stands at position 0. */
  @FunctionalInterface
  public interface Body {
    /**
     * Writes the whole content; called again if the thread was interrupted meanwhile.
     *
     * @param channel the new file, open for writing
     * @throws IOException if the bytes cannot be written; the target then stays as it was
     */
    void writeTo(FileChannel channel) throws IOException;
  }

  /**
   * Replaces {@code target} by what {@code body} writes. A symbolic link is followed, so that the
   * file it names is replaced and not the link.
   *
   * @param target the file to create or replace; its folder must exist
   * @param body writes the content
   * @throws IOException if the folder is missing or unwritable, or the disk is full
   */
  public static void write(Path target, Body body) throws IOException {
    var file = Files.isSymbolicLink(target) ? target.toRealPath() : target.toAbsolutePath();
    var interrupted = Thread.interrupted();
    try {
      for (var attempt = 1; ; attempt++) {
        try {
          replace(file, body);
          return;
        } catch (ClosedByInterruptException e) {
          interrupted |= Thread.interrupted();
          if (attempt == ATTEMPTS) throw e;
        }
      }
    } finally {
      if (interrupted) Thread.currentThread().interrupt();
    }
  }

  private static void replace(Path file, Body body) throws IOException {
    // Not Files.createTempFile: it makes the file readable by its owner alone, and the rename would
    // keep that. CREATE_NEW leaves the permissions to the umask, as for any other file.
    // Joined, not formatted: %d may write digits that the file system's encoding does not have.
    var ours = ProcessHandle.current().pid() + "-" + COUNTER.getAndIncrement();
    var neighbour = file.resolveSibling(HIDDEN + file.getFileName() + "." + ours + LEFTOVER);
    var done = false;
    try {
      try (var channel =
          FileChannel.open(neighbour, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        body.writeTo(channel);
        channel.force(true);
      }
      Files.move(
          neighbour, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      done = true;
    } finally {
      if (!done) Files.deleteIfExists(neighbour);
    }
    forceFolder(file);
  }

  /**
   * Removes the neighbours that killed processes left in a folder.
   *
   * @param folder where nobody else writes now; see {@link FolderLock}
   * @throws IOException if the folder cannot be read or written
   */
  public static void removeLeftovers(Path folder) throws IOException {
    try (var files = Files.newDirectoryStream(folder, HIDDEN + "*" + LEFTOVER)) {
      for (var file : files) Files.deleteIfExists(file);
    }
  }

  /**
   * Replaces {@code target} by a text in UTF-8.
   *
   * @param target the file to create or replace; its folder must exist
   * @param text the whole content
   * @throws IOException if the folder is missing or unwritable, or the disk is full
   */
  public static void writeString(Path target, String text) throws IOException {
    var bytes = StandardCharsets.UTF_8.encode(text);
    // Each attempt from the start: a buffer remembers how far it was written.
    write(target, channel -> writeFully(channel, bytes.duplicate()));
  }

  /** Writes all that remains in the buffer: a single {@code write} may stop short. */
  static void writeFully(WritableByteChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) channel.write(bytes);
  }

  /** Makes the rename itself durable. Only POSIX systems let a folder be opened and forced. */
  private static void forceFolder(Path file) throws IOException {
    var folder = file.getParent();
    if (folder == null || !file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      return;
    }
    try (var channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }
}
