package carousel.nn.io;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * One writer per folder: whoever holds the lock of a folder may write there, anyone else is refused.
 *
 * <pre>{@code
 * try (var lock = FolderLock.take(run)) {
 *   // nobody else writes into the folder
 * }
 * }</pre>
 *
 * <p>The lock is one of the operating system, on the file {@value #NAME} of the folder. It ends with
 * the process that holds it, however that ends, so there are no stale locks; the file stays and means
 * nothing by itself. It holds against all who ask for it, in this process and in others. Readers need
 * none where every file is {@linkplain AtomicFile replaced as a whole}.
 */
public final class FolderLock implements Closeable {
  /** The file that is locked. */
  public static final String NAME = ".lock";

  // Locks of the operating system belong to a process, which does not refuse itself; and it loses
  // them as soon as it closes any channel of the file. So the file is opened once per process.
  private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

  // Beyond the text: Windows keeps others from reading what is locked.
  private static final long LOCKED_BYTE = Long.MAX_VALUE - 1;

  private final Path folder;
  private final FileChannel channel;

  private FolderLock(Path folder, FileChannel channel) {
    this.folder = folder;
    this.channel = channel;
  }

  /**
   * Takes the lock of a folder.
   *
   * @param folder the folder
   * @return the lock; close it when nothing more will be written
   * @throws FolderInUseException if another process, or other code of this one, holds it
   * @throws IOException if the folder is missing or cannot be written
   */
  public static FolderLock take(Path folder) throws IOException {
    var real = folder.toRealPath();
    if (!HELD.add(real)) {
      throw new FolderInUseException(folder, "this process, " + ProcessHandle.current().pid());
    }
    try {
      return new FolderLock(real, locked(folder, real.resolve(NAME)));
    } catch (IOException | RuntimeException | Error e) {
      HELD.remove(real);
      throw e;
    }
  }

  private static FileChannel locked(Path folder, Path file) throws IOException {
    var channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      if (channel.tryLock(LOCKED_BYTE, 1, false) == null) {
        throw new FolderInUseException(folder, "process " + Files.readString(file).strip());
      }
      channel.truncate(0);
      String pid = Long.toString(ProcessHandle.current().pid());
      AtomicFile.writeFully(channel, StandardCharsets.US_ASCII.encode(pid));
      return channel;
    } catch (IOException | RuntimeException | Error e) {
      channel.close();
      throw e;
    }
  }

  /** Lets the next one write. */
  @Override
  public void close() throws IOException {
    channel.close();
    HELD.remove(folder);
  }
}
