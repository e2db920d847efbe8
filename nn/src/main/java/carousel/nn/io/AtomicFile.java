package carousel.nn.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Replaces a regular file as a whole or not at all: write a neighbour, force it to the disk, rename it over
 * the target, force the folder.
 *
 * <p>A reader sees the old bytes or the new ones; a full disk or an exception in the middle leaves the
 * old file as it was and removes the neighbour. A process that is killed in the middle leaves the old
 * file and the neighbour; {@link #removeLeftovers} is for these.
 *
 * <p>The new file has the permissions of the old one, and its owner and group where the system lets them be
 * kept; where there was none, those of any new file. Another hard link to the old file keeps the old bytes.
 *
 * <p>An interrupt of the writing thread does not break off a write: a channel that it closed is
 * opened anew and written from the start, and the thread is interrupted again when the file is whole.
 */
public final class AtomicFile {
  private static final AtomicLong COUNTER = new AtomicLong();

  /** How often a write begins anew; who interrupts it more often than that wants it to end. */
  private static final int ATTEMPTS = 10;

  private static final Set<StandardOpenOption> NEW =
      Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);

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
   * @throws IOException if the folder is missing or unwritable, the disk is full, or the target is a device,
   *     a pipe or a folder, which no file is put in the place of; the message names the target
   */
  public static void write(Path target, Body body) throws IOException {
    requireReplaceable(target);
    var file = Files.isSymbolicLink(target) ? target.toRealPath() : target.toAbsolutePath();
    boolean interrupted = Thread.interrupted();
    try {
      for (int attempt = 1; ; attempt++) {
        try {
          replace(file, body);
          forceFolder(file);
          return;
        } catch (ClosedByInterruptException e) {
          interrupted |= Thread.interrupted();
          if (attempt == ATTEMPTS) {
            throw e;
          }
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static void requireReplaceable(Path target) throws IOException {
    if (Files.isDirectory(target)) {
      throw new FileSystemException(target.toString(), null, "is a folder; name a file in it");
    }
    if (Files.exists(target) && !Files.isRegularFile(target)) {
      throw new FileSystemException(
          target.toString(),
          null,
          "is a device, a pipe or a socket, and a file would take its place; write a file and send that on");
    }
    if (Files.isSymbolicLink(target) && !Files.exists(target)) {
      throw new NoSuchFileException(
          target.toString(), null, "is a link to where nothing is; remove it, or make that file");
    }
  }

  private static void replace(Path file, Body body) throws IOException {
    // Not Files.createTempFile: it makes the file readable by its owner alone, and the rename would
    // keep that. CREATE_NEW leaves the permissions to the umask, as for any other file.
    // Joined, not formatted: %d may write digits that the file system's encoding does not have.
    String ours = ProcessHandle.current().pid() + "-" + COUNTER.getAndIncrement();
    var neighbour = file.resolveSibling(HIDDEN + file.getFileName() + "." + ours + LEFTOVER);
    boolean done = false;
    try {
      var old = attributes(file);
      try (var channel = FileChannel.open(neighbour, NEW, permissions(old))) {
        if (old != null) {
          keep(neighbour, old);
        }
        body.writeTo(channel);
        channel.force(true);
      }
      Files.move(
          neighbour, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      done = true;
    } catch (ClosedByInterruptException e) {
      throw e; // begins anew
    } catch (IOException e) {
      throw of(file, neighbour, e);
    } finally {
      if (!done) {
        Files.deleteIfExists(neighbour);
      }
    }
  }

  /** What the file that is replaced has; null if there is none, or the system knows no permissions. */
  private static @Nullable PosixFileAttributes attributes(Path file) throws IOException {
    var view = Files.getFileAttributeView(file, PosixFileAttributeView.class);
    return view == null || !Files.exists(file) ? null : view.readAttributes();
  }

  /** From the first moment: what others must not read they must not open while it is written, either. */
  private static FileAttribute<?>[] permissions(@Nullable PosixFileAttributes old) {
    return old == null
        ? new FileAttribute<?>[0]
        : new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(old.permissions())};
  }

  private static void keep(Path neighbour, PosixFileAttributes old) throws IOException {
    var view = Files.getFileAttributeView(neighbour, PosixFileAttributeView.class);
    var ours = view.readAttributes();
    try {
      if (!ours.group().equals(old.group())) {
        view.setGroup(old.group());
      }
      if (!ours.owner().equals(old.owner())) {
        view.setOwner(old.owner());
      }
    } catch (FileSystemException e) {
      // Only root may give a file away, and others only to groups of their own: then it is the
      // writer's.
    }
    view.setPermissions(old.permissions()); // the umask has taken some away
  }

  /** What went wrong, said of the file that was asked for, not of its neighbour. */
  private static IOException of(Path file, Path neighbour, IOException e) {
    if (e instanceof FileSystemException other && !neighbour.toString().equals(other.getFile())) {
      return other; // of something that the body reads
    }
    var said =
        switch (e) {
          case AccessDeniedException _ ->
              new AccessDeniedException(
                  file.toString(),
                  null,
                  String.format(
                      Locale.ROOT,
                      "the folder %s cannot be written to, where the new file is made before it takes the place"
                          + " of the old; give permission, or write elsewhere",
                      file.getParent()));
          case NoSuchFileException _ ->
              new NoSuchFileException(
                  file.toString(),
                  null,
                  String.format(
                      Locale.ROOT, "there is no folder %s; make it first", file.getParent()));
          default -> {
            String reason = e instanceof FileSystemException f ? f.getReason() : e.getMessage();
            yield new FileSystemException(
                file.toString(),
                null,
                (reason == null ? e.getClass().getSimpleName() : reason)
                    + "; what was there before is unchanged: make room, or write elsewhere");
          }
        };
    said.initCause(e);
    return said;
  }

  /**
   * Removes the neighbours that killed processes left in a folder.
   *
   * @param folder where nobody else writes now; see {@link FolderLock}
   * @throws IOException if the folder cannot be read or written
   */
  public static void removeLeftovers(Path folder) throws IOException {
    try (var files = Files.newDirectoryStream(folder, HIDDEN + "*" + LEFTOVER)) {
      for (var file : files) {
        Files.deleteIfExists(file);
      }
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
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
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
