package carousel.cuda.driver;

import static java.nio.charset.StandardCharsets.UTF_8;

import carousel.tensor.spi.Setting;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A compiler that keeps what it made in a folder, and need not make it again.
 *
 * <p>A file's name is a hash of all that went into it: the source, what it includes, the compiler's version
 * and options. It is written under another name and renamed at the end, so that two processes may
 * compile at once, and one that is killed leaves nothing half done under that name. It begins with a
 * checksum; a file that was cut or changed is made again. A folder that cannot be written costs time,
 * not results: it is reported once, and kernels are compiled in every run.
 */
public final class CubinCache implements Compiler {
  private static final System.Logger LOG = System.getLogger("carousel.cuda");
  private static final Duration ABANDONED = Duration.ofHours(1);
  private static final int CHECKSUM = 32;

  private final Compiler compiler;
  private final Path folder;
  private boolean complained;

  /**
   * A cache in front of a compiler.
   *
   * @param compiler what compiles
   * @param folder where results are kept; made when it is missing
   */
  public CubinCache(Compiler compiler, Path folder) {
    this.compiler = compiler;
    this.folder = folder;
  }

  /** Where compiled kernels are kept: {@code -Dcarousel.cuda.cache}, or the user's cache folder. */
  public static Path configured() {
    String named = Setting.CUDA_CACHE.value();
    if (named != null) {
      return Path.of(named);
    }
    String home = System.getenv("XDG_CACHE_HOME");
    return home != null && !home.isEmpty()
        ? Path.of(home, "carousel", "cuda")
        : Path.of(System.getProperty("user.home", "."), ".cache", "carousel", "cuda");
  }

  @Override
  public String fingerprint(int capability) {
    return compiler.fingerprint(capability);
  }

  /** One at a time: threads that want the same file wait for the first. */
  @Override
  public synchronized byte[] compile(KernelSource source, int capability) {
    Path file = folder.resolve(name(source, capability));
    byte[] kept = read(file);
    if (kept != null) {
      return kept;
    }
    byte[] made = compiler.compile(source, capability);
    write(file, made);
    return made;
  }

  private String name(KernelSource source, int capability) {
    String name = source.name();
    String stem = name.substring(name.lastIndexOf('/') + 1, name.lastIndexOf('.'));
    // Every text with its length: no two inputs give the same bytes.
    MessageDigest digest = sha256();
    add(digest, compiler.fingerprint(capability));
    source
        .files()
        .forEach((key, text) -> {
          add(digest, key);
          add(digest, text);
        });
    String hash = HexFormat.of().formatHex(digest.digest(), 0, 16);
    return String.format(Locale.ROOT, "%s-sm_%d-%s.cubin", stem, capability, hash);
  }

  private static void add(MessageDigest digest, String text) {
    byte[] bytes = text.getBytes(UTF_8);
    digest.update((bytes.length + ":").getBytes(UTF_8));
    digest.update(bytes);
  }

  /** The content of a file; null if it is not there, or not what was written. */
  private byte @Nullable [] read(Path file) {
    byte[] found;
    try {
      found = Files.readAllBytes(file);
    } catch (NoSuchFileException absent) {
      return null;
    } catch (IOException e) {
      complain("read", e);
      return null;
    }
    if (found.length > CHECKSUM) {
      byte[] content = Arrays.copyOfRange(found, CHECKSUM, found.length);
      if (MessageDigest.isEqual(sha256().digest(content), Arrays.copyOf(found, CHECKSUM))) {
        return content;
      }
    }
    LOG.log(Level.WARNING, "{0} is damaged; compiling it again", file);
    return null;
  }

  private void write(Path file, byte[] content) {
    try {
      Files.createDirectories(folder);
      removeAbandoned();
      Path unfinished = Files.createTempFile(folder, file.getFileName() + "-", ".tmp");
      try (var out = Files.newOutputStream(unfinished)) {
        out.write(sha256().digest(content));
        out.write(content);
      }
      Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      complain("write to", e);
    }
  }

  /** What killed processes left. */
  private void removeAbandoned() throws IOException {
    Instant limit = Instant.now().minus(ABANDONED);
    try (var files = Files.newDirectoryStream(folder, "*.tmp")) {
      for (Path left : files) {
        if (Files.getLastModifiedTime(left).toInstant().isBefore(limit)) {
          Files.deleteIfExists(left);
        }
      }
    }
  }

  private void complain(String what, IOException e) {
    if (!complained) {
      complained = true;
      LOG.log(
          Level.WARNING,
          "cannot "
              + what
              + " compiled kernels in "
              + folder
              + " ("
              + e
              + "): they are compiled in every run; name another folder with -Dcarousel.cuda.cache=");
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java has SHA-256", e);
    }
  }
}
