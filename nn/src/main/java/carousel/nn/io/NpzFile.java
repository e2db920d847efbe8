package carousel.nn.io;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * An npz file as names, types, shapes and raw bytes.
 *
 * <p>Opening reads the directory of the zip file and the header of each array, and checks that each
 * says exactly as many bytes as the other: what an array takes is then known, and honest, before any
 * of it is allocated. Deflate cannot shrink anything more than {@value #MOST_SHRINKING}-fold, and the
 * entries cannot be longer together than the file is: so much a bomb could pretend, and no more.
 */
final class NpzFile implements Closeable {
  static final String SUFFIX = ".npy";

  /** The bound of the deflate format: 258 bytes by two bits. */
  private static final long MOST_SHRINKING = 1032;

  private final Path path;
  private final ZipFile zip;
  private final Map<String, Entry> entries = new LinkedHashMap<>();

  private record Entry(ZipEntry zipped, NpyHeader header, StoredTensor tensor) {}

  private NpzFile(Path path, ZipFile zip) {
    this.path = path;
    this.zip = zip;
  }

  /**
   * Opens a file and checks all that it says of itself.
   *
   * @throws NpyException if it is missing, truncated, or not a sound npz file
   */
  static NpzFile open(Path path) throws IOException {
    if (!Files.isRegularFile(path)) {
      throw new NpyException(path, "there is no file of this name");
    }
    ZipFile zip;
    try {
      zip = new ZipFile(path.toFile());
    } catch (ZipException | EOFException e) {
      boolean isOther = reason(e).contains("compression method");
      throw new NpyException(
          path,
          isOther
              ? "compressed as no npz of NumPy is: " + reason(e) + "; save it with savez_compressed"
              : "truncated, or not an npz (zip) file: " + reason(e));
    }
    try {
      var file = new NpzFile(path, zip);
      file.readHeaders();
      return file;
    } catch (IOException | RuntimeException | Error e) {
      zip.close();
      throw e;
    }
  }

  private void readHeaders() throws IOException {
    long left = Files.size(path);
    for (var zipped : zip.stream().toList()) {
      String name = HeaderParser.quote(zipped.getName());
      if (!zipped.getName().endsWith(SUFFIX)) {
        throw problem(String.format(Locale.ROOT, "holds %s, which is no array (.npy)", name));
      }
      left -= zipped.getCompressedSize();
      if (left < 0 || zipped.getCompressedSize() < 0) {
        throw problem(String.format(Locale.ROOT, "array %s overlaps another, or the end", name));
      }
      checkSize(zipped);
      var entry = header(zipped);
      if (entries.putIfAbsent(entry.tensor().name(), entry) != null) {
        throw problem("two arrays have the name " + name);
      }
    }
  }

  private void checkSize(ZipEntry zipped) {
    boolean isStored = zipped.getMethod() == ZipEntry.STORED;
    long most = zipped.getCompressedSize() * (isStored ? 1 : MOST_SHRINKING);
    if (zipped.getSize() < (isStored ? most : 0) || zipped.getSize() > most) {
      throw problem(
          String.format(
              Locale.ROOT,
              "array %s cannot unpack from %d to %d bytes",
              HeaderParser.quote(zipped.getName()),
              zipped.getCompressedSize(),
              zipped.getSize()));
    }
  }

  private Entry header(ZipEntry zipped) throws IOException {
    String name = zipped.getName().substring(0, zipped.getName().length() - SUFFIX.length());
    try (var channel = Channels.newChannel(open(zipped))) {
      var header =
          NpyHeader.read(
              channel,
              zipped.getSize(),
              what ->
                  problem(
                      String.format(Locale.ROOT, "array %s: %s", HeaderParser.quote(name), what)));
      var tensor =
          new StoredTensor(name, header.type(), header.shape(), header.length(), zipped.getSize());
      return new Entry(zipped, header, tensor);
    } catch (ZipException | EOFException e) {
      throw broken(name, e);
    }
  }

  private InputStream open(ZipEntry zipped) throws IOException {
    return Objects.requireNonNull(zip.getInputStream(zipped));
  }

  /** The arrays as tensors. */
  Loading loading() {
    var tensors = new LinkedHashMap<String, StoredTensor>();
    entries.forEach((name, entry) -> tensors.put(name, entry.tensor()));
    return new Loading(
        tensors,
        name -> read(entry(name)),
        name -> entry(name).header().columnMajor(),
        this::problem);
  }

  private Entry entry(String name) {
    return Objects.requireNonNull(entries.get(name));
  }

  private ReadableByteChannel read(Entry entry) throws IOException {
    try {
      var unpacking = new Unpacking(entry);
      return new TensorBytes(entry.tensor(), unpacking, this::problem);
    } catch (ZipException | EOFException e) {
      throw broken(entry.tensor().name(), e);
    }
  }

  private NpyException broken(String name, IOException e) {
    return problem(
        String.format(
            Locale.ROOT, "array %s cannot be unpacked: %s", HeaderParser.quote(name), reason(e)));
  }

  private static String reason(IOException e) {
    return e.getMessage() == null ? "it ends too soon" : e.getMessage();
  }

  private NpyException problem(String what) {
    return new NpyException(path, what);
  }

  @Override
  public void close() throws IOException {
    zip.close();
  }

  /** The data of an entry; at its end there must be nothing more, and the checksum must be right. */
  private final class Unpacking implements TensorBytes.Portions {
    private final Entry entry;
    private final CheckedInputStream stream;
    private final ReadableByteChannel channel;

    Unpacking(Entry entry) throws IOException {
      this.entry = entry;
      stream = new CheckedInputStream(open(entry.zipped()), new CRC32());
      channel = Channels.newChannel(stream);
      stream.skipNBytes(entry.header().length());
      if (entry.tensor().elements() == 0) {
        ended();
      }
    }

    @Override
    public int read(ByteBuffer into, long done) throws IOException {
      try {
        int count = channel.read(into);
        if (count < 0) {
          throw new EOFException(String.format(Locale.ROOT, "it ends after %d bytes", done));
        }
        return count;
      } catch (ZipException | EOFException e) {
        throw broken(entry.tensor().name(), e);
      }
    }

    @Override
    public void ended() throws IOException {
      String name = HeaderParser.quote(entry.tensor().name());
      if (hasMore()) {
        throw problem(
            String.format(Locale.ROOT, "array %s unpacks to more than it announces", name));
      }
      if (stream.getChecksum().getValue() != entry.zipped().getCrc()) {
        throw problem(
            String.format(Locale.ROOT, "array %s is corrupt: its checksum is wrong", name));
      }
    }

    private boolean hasMore() throws IOException {
      try {
        return stream.read() >= 0;
      } catch (ZipException | EOFException e) {
        throw broken(entry.tensor().name(), e);
      }
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }
}
