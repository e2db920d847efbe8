package carousel.nn.io;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsHeaderTest {
  @TempDir Path folder;

  private SafetensorsFile open(long announced, byte[] header, int data) throws IOException {
    var bytes =
        ByteBuffer.allocate(8 + header.length + data)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(announced)
            .put(header);
    var path = folder.resolve("file.safetensors");
    Files.write(path, bytes.array());
    return SafetensorsFile.open(path);
  }

  private SafetensorsFile open(String header, int data) throws IOException {
    var bytes = header.getBytes(UTF_8);
    return open(bytes.length, bytes, data);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        // Each: bytes of data | header | what the message says.
        "0 | [] | must begin with '{'",
        "0 | ' {}' | must begin with '{'",
        "0 | { | character 1: expected a string, found the end",
        "0 | {} x | character 3: expected the end of the header, found \"x\"",
        "0 | {\"a\" | expected ':', found the end",
        "0 | {\"a\":1} | expected '{', found \"1\"",
        "0 | {\"a\":{}} | tensor \"a\" lacks dtype",
        "0 | {\"a\":{\"dtype\":\"F32\"}} | tensor \"a\" lacks shape",
        "0 | {\"a\":{\"dtype\":\"F32\",\"shape\":[]}} | tensor \"a\" lacks data_offsets",
        "0 | {\"a\":{\"dtype\":\"F31\"}} | tensor \"a\" has the unknown dtype \"F31\"; known are"
            + " [U64,",
        "0 | {\"a\":{\"dtype\":\"f32\"}} | unknown dtype \"f32\"",
        "0 | {\"a\":{\"dtype\":3}} | expected a string, found \"3\"",
        "0 | {\"a\":{\"color\":3}} | tensor \"a\" has the unknown key \"color\"",
        "0 | {\"a\":{\"shape\":[-1]}} | expected a whole number of 0 or more, found \"-\"",
        "0 | {\"a\":{\"shape\":[1.0]}} | expected a whole number",
        "0 | {\"a\":{\"shape\":[1e3]}} | expected a whole number",
        "0 | {\"a\":{\"shape\":[01]}} | expected a whole number",
        "0 | {\"a\":{\"shape\":[1,]}} | expected a whole number",
        "0 | {\"a\":{\"shape\":[1 2]}} | expected ']', found \"2\"",
        "0 | {\"a\":{\"shape\":[9223372036854775808]}} | 9223372036854775808 does not fit in 63"
            + " bits",
        "0 | {\"a\":{\"shape\":[1],\"shape\":[1]}} | the key \"shape\" occurs twice",
        "0 | {\"__metadata__\":{\"a\":\"b\",\"a\":\"b\"}} | the key \"a\" occurs twice",
        "0 | {\"__metadata__\":{},\"__metadata__\":{}} | the key \"__metadata__\" occurs twice",
        "0 | {\"__metadata__\":{\"a\":1}} | expected a string, found \"1\"",
        "0 | {\"__metadata__\":{\"a\":\"b\",}} | expected a string, found \"}\"",
        "0 | {\"__metadata__\":{\"a\\x\":\"\"}} | after a backslash, found \"x\"",
        "0 | {\"__metadata__\":{\"\\u12g4\":\"\"}} | expected four hexadecimal digits, found \"g\"",
        "0 | {\"__metadata__\":{\"\\ud800\":\"\"}} | half of a surrogate pair",
        "0 | {\"__metadata__\":{\"abc | begins at 17 has no end",
        "0 | {\"__metadata__\":{\"abc\\ | expected an escape, found the end",
      })
  void refusesBadJson(int data, String header, String message) {
    assertThatThrownBy(() -> open(header.replace("'", ""), data))
        .isInstanceOf(SafetensorsException.class)
        .hasMessageStartingWith(folder.resolve("file.safetensors") + ": ")
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // dtype | shape | begin, end | bytes of data in the file | what the message says
        "F32 | 2,3 | 0,23 | 23 | tensor \"a\", F32 [2, 3] at bytes 0 to 23, has 23 bytes where 24",
        "F32 | 2,3 | 0,24 | 23 | lies outside the data of 23 bytes; is it truncated?",
        "F32 | 2,3 | 1,25 | 25 | leaves a gap: the tensor before it ends at byte 0",
        "F32 | 2,3 | 0,24 | 25 | the tensors end at byte 24 of the data, the file holds 25",
        "F32 | 2,3 | 24,0 | 24 | ends before it begins",
        "F32 | 2,3 | 0 | 24 | data_offsets must be [begin, end], found [0]",
        "F32 | 2,3 | 0,12,24 | 24 | data_offsets must be [begin, end], found [0, 12, 24]",
        "F32 | 9223372036854775807,9 | 0,4 | 4 | is larger than any file",
        "F32 | 4611686018427387904 | 0,0 | 0 | is larger than any file",
        "U8 | 1,1,1,1,1,1,1,1,1,2 | 0,1 | 1 | U8 10 dimensions at bytes 0 to 1, has 1 bytes where"
            + " 2",
        "BOOL | 0,9223372036854775807 | 0,1 | 1 | has 1 bytes where 0",
      })
  void refusesOffsetsThatDoNotFit(
      String type, String shape, String offsets, int data, String message) {
    String header =
        String.format(
            Locale.ROOT,
            "{\"a\":{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%s]}}",
            type,
            shape,
            offsets);
    assertThatThrownBy(() -> open(header, data))
        .isInstanceOf(SafetensorsException.class)
        .hasMessageContaining(message);
  }

  @Test
  void refusesOverlaps() {
    String header =
        """
        {"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},
         "b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}\
        """;
    assertThatThrownBy(() -> open(header, 6))
        .hasMessageEndingWith(
            "tensor \"b\", U8 [4] at bytes 2 to 6, overlaps the tensor before it,"
                + " which ends at byte 4");
  }

  @Test
  void refusesSizesThatDoNotFit() {
    var empty = "{}".getBytes(UTF_8);
    assertThatThrownBy(() -> open(3, empty, 0))
        .hasMessageContaining("announces a header of 3 bytes, 2 follow");
    assertThatThrownBy(() -> open(-1, empty, 0))
        .hasMessageContaining("announces a header of 18446744073709551615 bytes, 2 follow");
    assertThatThrownBy(() -> open(Long.MAX_VALUE, empty, 0)).hasMessageContaining("announces");
    assertThatThrownBy(() -> open(0, empty, 0)).hasMessageContaining("must begin with '{'");
  }

  @Test
  void refusesAHeaderBeyondTheBoundOfTheFormat() throws IOException {
    var path = folder.resolve("sparse");
    try (var file = new RandomAccessFile(path.toFile(), "rw")) {
      file.write(new byte[] {1, (byte) 0xE1, (byte) 0xF5, 5, 0, 0, 0, 0});
      file.setLength(200_000_000);
    }
    assertThatThrownBy(() -> SafetensorsFile.open(path))
        .isInstanceOf(SafetensorsException.class)
        .hasMessageEndingWith("header of 100000001 bytes, the format allows 100000000");
  }

  @Test
  void refusesWhatIsNoFile() throws IOException {
    assertThatThrownBy(() -> SafetensorsFile.open(folder.resolve("none")))
        .isInstanceOf(SafetensorsException.class)
        .hasMessageEndingWith("none: there is no such file");
    assertThatThrownBy(() -> SafetensorsFile.open(folder))
        .hasMessageEndingWith("this is a folder, not a safetensors file");
    var path = folder.resolve("short");
    Files.write(path, new byte[7]);
    assertThatThrownBy(() -> SafetensorsFile.open(path))
        .hasMessageContaining("7 bytes, where the header length alone takes 8");
  }

  @Test
  void refusesAHeaderThatIsNotUtf8() {
    var latin = "{\"é\":{}}".getBytes(ISO_8859_1);
    assertThatThrownBy(() -> open(latin.length, latin, 0)).hasMessageContaining("not UTF-8");
    assertThatThrownBy(() -> open("{\"a\u0001\":{}}", 0))
        .hasMessageContaining("control characters must be written as escapes, found \"\\u0001\"");
  }

  @Test
  void messagesShowLongAndOddNamesHarmlessly() {
    String name = "\\u001b[2J" + "x".repeat(500);
    assertThatThrownBy(() -> open("{\"" + name + "\":{}}", 0))
        .hasMessageContaining("tensor \"\\u001b[2Jxxx")
        .message()
        .hasSizeLessThan(300);
  }

  @Test
  void readsEveryEscapeAndSpacing() throws IOException {
    String header =
        "{ \"__metadata__\" : { \"k\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83C\\uDFA0\" : \"\" } ,\n"
            + "\t\"a\":{\"shape\":[ 1 , 2 ],\"data_offsets\":[2,10],\"dtype\":\"F32\"},\r\n"
            + "\"e\":{\"shape\":[0,9223372036854775807],\"data_offsets\":[2,2],\"dtype\":\"F32\"},"
            + "\"b\":{\"shape\":[2,1],\"data_offsets\":[0,2],\"dtype\":\"BOOL\"} }  \n";
    try (var file = open(header, 10)) {
      assertThat(file.metadata()).isEqualTo(Map.of("k\"\\/\b\f\n\r\té🎠", ""));
      assertThat(file.tensors().keySet()).containsExactly("b", "e", "a");
      assertThat(file.tensors().values())
          .extracting(StoredTensor::elements)
          .containsExactly(2L, 0L, 2L);
      assertThat(file.tensors().get("a"))
          .isEqualTo(new StoredTensor("a", StoredType.F32, List.of(1L, 2L), 2, 10));
    }
  }
}
