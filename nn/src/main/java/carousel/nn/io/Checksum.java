package carousel.nn.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;

/**
 * The SHA-256 of a safetensors file, within its own metadata: that of all its bytes, those 64 digits
 * taken as zeros. So one file holds what is checked and what it is checked by, and any reader of the
 * format can open it.
 *
 * <p>Not a CRC, though that is faster: at 2 GB/s neither is noticed beside the disk, and digests can be
 * compared in place of files.
 */
final class Checksum {
  /** Where it stands in the metadata. */
  static final String KEY = "sha256";

  /** What stands there while the digest is taken. */
  static final String NONE = "0".repeat(64);

  private static final int CHUNK = 1 << 16;

  private Checksum() {}

  /** Hands on what is written, and takes its digest. */
  static final class Channel implements WritableByteChannel {
    private final WritableByteChannel channel;
    private final MessageDigest digest = sha256();

    Channel(WritableByteChannel channel) {
      this.channel = channel;
    }

    @Override
    public int write(ByteBuffer bytes) throws IOException {
      var view = bytes.duplicate();
      int written = channel.write(bytes);
      digest.update(view.limit(view.position() + written));
      return written;
    }

    /** The digits of what was written so far. */
    String digits() {
      return HexFormat.of().formatHex(digest.digest());
    }

    @Override
    public boolean isOpen() {
      return channel.isOpen();
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }

  /** Puts the digits into their place in a file whose header was written with {@link #NONE}. */
  static void put(FileChannel channel, Path file, SafetensorsHeader header, String digits)
      throws IOException {
    channel.position(position(file, header.encode()));
    AtomicFile.writeFully(channel, StandardCharsets.US_ASCII.encode(digits));
  }

  /**
   * Compares the digits of a file with its bytes.
   *
   * @throws SafetensorsException if they differ, or there are none
   */
  static void verify(Path file, FileChannel channel, SafetensorsHeader header) throws IOException {
    var head = ByteBuffer.allocate((int) header.dataStart());
    SafetensorsHeader.readFully(file, channel, head, 0);
    int at = position(file, head.flip());
    String stored = header.metadata().get(KEY);
    head.put(at, StandardCharsets.US_ASCII.encode(NONE), 0, NONE.length());
    var digest = sha256();
    digest.update(head);
    var chunk = ByteBuffer.allocateDirect(CHUNK);
    for (long next = header.dataStart(); channel.read(chunk, next) >= 0; chunk.clear()) {
      next += chunk.position();
      digest.update(chunk.flip());
    }
    String digits = HexFormat.of().formatHex(digest.digest());
    if (!digits.equals(stored)) {
      throw new SafetensorsException(
          file,
          String.format(Locale.ROOT, "its bytes have the SHA-256 %s, it says %s", digits, stored));
    }
  }

  /** Where the digits begin. Quotes within names and texts are escaped, so no other place fits. */
  private static int position(Path file, ByteBuffer head) {
    String text = StandardCharsets.ISO_8859_1.decode(head.duplicate()).toString();
    String key = "\"" + KEY + "\":\"";
    int at = text.indexOf(key) + key.length();
    int end = at + NONE.length();
    if (at < key.length() || text.length() <= end || text.charAt(end) != '"') {
      throw new SafetensorsException(file, "it holds no checksum");
    }
    return at;
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
