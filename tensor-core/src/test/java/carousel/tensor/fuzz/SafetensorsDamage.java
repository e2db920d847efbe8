package carousel.tensor.fuzz;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.SplittableRandom;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * Damage to safetensors files that is not stopped at the door: the length of the header is right, and
 * the SHA-256 in the metadata, if there is one, is that of the damaged file.
 */
public final class SafetensorsDamage {
  private static final Pattern VALUE = Pattern.compile("\"((?:[^\"\\\\]|\\\\.)*+)\"|\\d++");
  private static final Pattern DIGITS = Pattern.compile("\"sha256\":\"([0-9a-f]{64})\"");

  private SafetensorsDamage() {}

  /**
   * Damages one string or number of the header.
   *
   * @param sound left as it is
   * @param random decides all
   * @return the damaged file, sealed
   */
  public static byte[] inHeader(byte[] sound, SplittableRandom random) {
    int end = Long.BYTES + (int) ByteBuffer.wrap(sound).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    var values = VALUE.matcher(text(sound).substring(Long.BYTES, end)).results().toList();
    // Rather an early one: the metadata stand first.
    var chosen = values.get(random.nextInt(1 + random.nextInt(values.size())));
    var other = values.get(random.nextInt(values.size()));
    var out = new ByteArrayOutputStream();
    out.write(sound, 0, Long.BYTES + start(chosen));
    out.writeBytes(Fuzz.damaged(inside(chosen), inside(other), random));
    int rest = Long.BYTES + start(chosen) + inside(chosen).length;
    out.write(sound, rest, sound.length - rest);
    return seal(out.toByteArray());
  }

  /** Strings are damaged within their quotes. */
  private static byte[] inside(MatchResult value) {
    String string = value.group(1);
    return (string == null ? value.group() : string).getBytes(ISO_8859_1);
  }

  private static int start(MatchResult value) {
    return value.group(1) == null ? value.start() : value.start(1);
  }

  /**
   * Makes the guards of a damaged file right.
   *
   * @param damaged is changed; as it is if no header can be found
   * @return the same
   */
  public static byte[] seal(byte[] damaged) {
    String text = text(damaged);
    int tensors = text.lastIndexOf("]}}"); // data may hold any single byte
    int end = tensors < 0 ? text.lastIndexOf('}') : tensors + 2;
    if (end < Long.BYTES) {
      return damaged;
    }
    while (end + 1 < text.length() && text.charAt(end + 1) == ' ') {
      end++;
    }
    ByteBuffer.wrap(damaged).order(ByteOrder.LITTLE_ENDIAN).putLong(0, end + 1 - Long.BYTES);
    var digits = DIGITS.matcher(text);
    if (!digits.find()) {
      return damaged;
    }
    var zeros = ByteBuffer.wrap("0".repeat(64).getBytes(ISO_8859_1));
    ByteBuffer.wrap(damaged).put(digits.start(1), zeros, 0, 64);
    var sum = HexFormat.of().formatHex(sha256().digest(damaged)).getBytes(ISO_8859_1);
    ByteBuffer.wrap(damaged).put(digits.start(1), sum);
    return damaged;
  }

  private static String text(byte[] file) {
    return new String(file, ISO_8859_1);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
