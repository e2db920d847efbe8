package carousel.nn.data;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextLinesTest {
  @TempDir Path folder;

  private List<String> lines(byte[] bytes) throws IOException {
    var file = folder.resolve("text");
    Files.write(file, bytes);
    var all = new ArrayList<String>();
    try (var lines = TextLines.open(file)) {
      for (String line = lines.next(); line != null; line = lines.next()) {
        all.add(line);
      }
    }
    var split = new ArrayList<String>();
    TextLines.split(new String(bytes, UTF_8).replaceFirst("^\uFEFF", ""), split::add, split::add);
    assertThat(split).isEqualTo(all);
    return all;
  }

  private List<String> lines(String text) throws IOException {
    return lines(text.getBytes(UTF_8));
  }

  @Test
  void cutsAtEitherLineEnd() throws IOException {
    assertThat(lines("")).isEmpty();
    assertThat(lines("a")).containsExactly("a");
    assertThat(lines("a\n")).containsExactly("a");
    assertThat(lines("a\r\nb\n\n c ")).containsExactly("a", "b", "", " c ");
    assertThat(lines("a\rb\n")).containsExactly("a\rb");
    assertThat(lines("\n\n")).containsExactly("", "");
  }

  @Test
  void skipsAByteOrderMarkAtTheStartOnly() throws IOException {
    assertThat(lines("\uFEFFa\n\uFEFFb")).containsExactly("a", "\uFEFFb");
  }

  @Test
  void linesMayCrossTheBufferAnywhere() throws IOException {
    for (var length : new int[] {65533, 65534, 65535, 65536, 65537, 200_000}) {
      String first = "x".repeat(length);
      assertThat(lines(first + "é\r\n語🎠\n")).containsExactly(first + "é", "語🎠");
    }
  }

  @Test
  void namesTheByteThatIsNotUtf8() throws IOException {
    var good = "first\nzweité\r\nthird: caf".getBytes(UTF_8);
    var bytes = new ByteArrayOutputStream();
    bytes.write(good);
    bytes.write("é und mehr\n".getBytes(ISO_8859_1));
    assertThatThrownBy(() -> lines(bytes.toByteArray()))
        .isInstanceOf(CorpusException.class)
        .hasMessage(
            folder.resolve("text")
                + String.format(
                    Locale.ROOT,
                    ": not UTF-8: byte 0xE9 at offset %d (line 3); save it as UTF-8",
                    good.length));
  }

  @Test
  void namesTheByteBehindTheFirstBuffer() throws IOException {
    var bytes = "word word\n".repeat(20_000).getBytes(UTF_8);
    bytes[150_003] = (byte) 0x80;
    assertThatThrownBy(() -> lines(bytes))
        .hasMessageContaining("byte 0x80 at offset 150003 (line 15001)");
  }

  @Test
  void refusesACharacterCutByTheEndOfTheFile() {
    var bytes = "語".getBytes(UTF_8);
    assertThatThrownBy(() -> lines(new byte[] {'a', bytes[0], bytes[1]}))
        .hasMessageContaining("byte 0xE8 at offset 1 (line 1)");
  }

  @Test
  void recognisesUtf16() {
    assertThatThrownBy(() -> lines("text".getBytes(UTF_16)))
        .hasMessageContaining("byte 0xFE at offset 0 (line 1); it looks like UTF-16");
  }

  @Test
  void refusesWhatIsNoFile() {
    assertThatThrownBy(() -> TextLines.open(folder.resolve("none")))
        .isInstanceOf(CorpusException.class)
        .hasMessageEndingWith("none: there is no such file");
    assertThatThrownBy(() -> TextLines.open(folder))
        .isInstanceOf(CorpusException.class)
        .hasMessageEndingWith("this is a folder, not a text file");
  }
}
