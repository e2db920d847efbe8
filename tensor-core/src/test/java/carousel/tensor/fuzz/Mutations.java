package carousel.tensor.fuzz;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.SplittableRandom;

/** Damage to a file, one to four times: to its bits, its lengths, its order and its text. */
final class Mutations {
  /** What lengths and counts become: nothing, one, the edges of every width, and beyond. */
  private static final long[] EXTREMES = {
    0,
    1,
    2,
    -1,
    -2,
    0x7F,
    0x80,
    0xFF,
    0x100,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x10000,
    0x7FFFFFFF,
    0x80000000L,
    0xFFFFFFFFL,
    0x100000000L,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    1L << 40,
    1L << 30
  };

  /** The same in digits. */
  private static final List<String> NUMBERS =
      List.of(
          "0",
          "1",
          "-1",
          "00",
          "007",
          "2147483647",
          "2147483648",
          "4294967296",
          "999999999",
          "9223372036854775807",
          "9223372036854775808",
          "18446744073709551616",
          "1e999",
          "-0",
          "NaN",
          "Infinity",
          "1.5",
          "0x10",
          "99999999999999999999999999999999");

  private static final String SPICE =
      "{}[]()\":,'\\u0919eE.-+=~|#%$/ \t\r\n\0\u001b\u007f\u0080\u00ff\u00c0\u00fe";

  private final SplittableRandom random;
  private byte[] bytes;

  private Mutations(byte[] sound, SplittableRandom random) {
    this.bytes = sound.clone();
    this.random = random;
  }

  /**
   * Damages a file.
   *
   * @param sound left as it is
   * @param other another file of the kind, which parts are taken from
   * @param random decides all
   * @return the damaged file
   */
  static byte[] mutate(byte[] sound, byte[] other, SplittableRandom random) {
    var mutation = new Mutations(sound, random);
    for (int i = 1 + random.nextInt(4); i > 0; i--) {
      mutation.once(other);
    }
    return mutation.bytes;
  }

  private void once(byte[] other) {
    if (bytes.length == 0) {
      bytes = part(other);
      return;
    }
    int at = random.nextInt(bytes.length);
    switch (random.nextInt(12)) {
      case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
      case 1 -> bytes[at] = (byte) random.nextInt(256);
      case 2 -> bytes[at] = spice();
      case 3 -> replace(at, at, spice());
      case 4 -> replace(at, at + run());
      case 5 -> replace(at, at, slice(bytes, at, at + run()));
      case 6 -> replace(at, bytes.length);
      case 7 -> replace(at, at + run(), part(other));
      case 8 -> replace(at, bytes.length, slice(other, at, other.length));
      case 9 -> extreme(at);
      case 10 -> digits(at);
      default -> swap(at, random.nextInt(bytes.length), run());
    }
  }

  private byte spice() {
    return (byte) SPICE.charAt(random.nextInt(SPICE.length()));
  }

  /** Mostly short, now and then long. */
  private int run() {
    return 1 + random.nextInt(1 << random.nextInt(11));
  }

  private byte[] part(byte[] of) {
    if (of.length == 0) {
      return of;
    }
    int at = random.nextInt(of.length);
    return slice(of, at, at + run());
  }

  private static byte[] slice(byte[] of, int from, int to) {
    int end = Math.min(of.length, to);
    return from >= end ? new byte[0] : java.util.Arrays.copyOfRange(of, from, end);
  }

  private void replace(int from, int to, byte... by) {
    var out = new ByteArrayOutputStream();
    out.write(bytes, 0, from);
    out.writeBytes(by);
    int rest = Math.min(bytes.length, to);
    out.write(bytes, rest, bytes.length - rest);
    bytes = out.toByteArray();
  }

  /** A binary length, of any width and order. */
  private void extreme(int at) {
    long value = EXTREMES[random.nextInt(EXTREMES.length)] + random.nextInt(3) - 1;
    int width = 1 << random.nextInt(4);
    boolean little = random.nextBoolean();
    for (int i = 0; i < width && at + i < bytes.length; i++) {
      bytes[at + i] = (byte) (value >>> (8 * (little ? i : width - 1 - i)));
    }
  }

  /** The next number in the text. */
  private void digits(int at) {
    int from = at;
    while (from < bytes.length && !Character.isDigit(bytes[from])) {
      from++;
    }
    int to = from;
    while (to < bytes.length && Character.isDigit(bytes[to])) {
      to++;
    }
    if (from == to) {
      return;
    }
    String number =
        random.nextBoolean()
            ? NUMBERS.get(random.nextInt(NUMBERS.size()))
            : Integer.toString(random.nextInt(100));
    replace(from, to, number.getBytes(ISO_8859_1));
  }

  private void swap(int a, int b, int length) {
    for (int i = 0; i < length && a + i < bytes.length && b + i < bytes.length; i++) {
      byte kept = bytes[a + i];
      bytes[a + i] = bytes[b + i];
      bytes[b + i] = kept;
    }
  }
}
