package carousel.nn.io;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.Philox;
import carousel.tensor.Scope;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged files either open as sound ones or throw {@link SafetensorsException}; nothing else. */
class SafetensorsFuzzTest {
  private static final int ROUNDS = 4000;
  private static final String SPICE = "{}[]\":,\\u0919eE.-+ \0\u007f\u00ff";

  @TempDir Path folder;

  @Test
  void onlyOneExceptionEverEmerges() throws IOException {
    var path = folder.resolve("fuzzed");
    SafetensorsFile.write(
        path,
        List.of(
            source("layer.0.wx", StoredType.F32, 24, 2L, 3L),
            source("layer.0.b", StoredType.F64, 16, 2L),
            source("é\n", StoredType.BOOL, 0, 0L, 7L),
            source("n", StoredType.I32, 4)),
        Map.of("format", "pt"));
    var sound = Files.readAllBytes(path);
    var random = Philox.of(20261101);
    var refused = 0;
    for (var round = 0; round < ROUNDS; round++) {
      Files.write(path, damage(sound, random));
      try (var _ = Scope.open();
          var file = SafetensorsFile.open(path)) {
        for (var t : file.tensors().values()) {
          var bytes = t.end() - t.begin();
          assertThat(bytes).as("round %d", round).isBetween(0L, Files.size(path));
          assertThat(Channels.newInputStream(file.read(t.name())).readAllBytes())
              .hasSize((int) bytes);
        }
        assertThat(Safetensors.load(path).keySet()).isEqualTo(file.tensors().keySet());
      } catch (SafetensorsException expected) {
        refused++;
        assertThat(expected).hasMessageStartingWith(path + ": ");
      } catch (RuntimeException | Error other) {
        throw new AssertionError("round " + round + " of " + ROUNDS, other);
      }
    }
    // Most damage to a header this short is fatal; damage to the data or a name is not.
    assertThat(refused).isBetween(ROUNDS / 2, ROUNDS - ROUNDS / 100);
  }

  private static TensorSource source(String name, StoredType type, int bytes, Long... shape) {
    return new TensorSource(
        name, type, List.of(shape), channel -> channel.write(ByteBuffer.allocate(bytes)));
  }

  /** One to three of: change a byte, insert one, delete a run, double a run, cut, move digits. */
  private static byte[] damage(byte[] sound, Philox random) {
    var text = new StringBuilder(new String(sound, ISO_8859_1));
    for (var i = 1 + random.nextInt(3); i > 0 && text.length() > 2; i--) {
      var at = random.nextInt(text.length());
      var end = Math.min(text.length(), at + 1 + random.nextInt(39));
      var spice = SPICE.charAt(random.nextInt(SPICE.length()));
      switch (random.nextInt(7)) {
        case 0 -> text.setCharAt(at, (char) random.nextInt(256));
        case 1 -> text.setCharAt(at, spice);
        case 2 -> text.insert(at, spice);
        case 3 -> text.delete(at, end);
        case 4 -> text.insert(at, text.substring(at, end));
        case 5 -> text.setLength(at);
        default -> digit(text, at, random);
      }
    }
    var bytes = text.toString().getBytes(ISO_8859_1);
    // Half of the time the announced length is mended, so that damage reaches the layers behind it.
    if (bytes.length >= 8 && random.nextInt(2) == 0) {
      var length = Math.min(bytes.length - 8, headerLength(bytes));
      Arrays.fill(bytes, 0, 8, (byte) 0);
      bytes[0] = (byte) length;
      bytes[1] = (byte) (length >> 8);
    }
    return bytes;
  }

  private static int headerLength(byte[] bytes) {
    var last = new String(bytes, ISO_8859_1).lastIndexOf('}');
    return last < 8 ? bytes.length - 8 : last - 7;
  }

  private static void digit(StringBuilder text, int from, Philox random) {
    for (var i = from; i < text.length(); i++) {
      if (Character.isDigit(text.charAt(i))) {
        text.setCharAt(i, (char) ('0' + random.nextInt(10)));
        return;
      }
    }
  }
}
