package carousel.nn.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsFileTest {
  /**
   * Written by the reference implementation, safetensors 0.8.0 for Python: {@code
   * safetensors.numpy.save({"b.bias": [1.5, -2] f32, "a.weight": arange(6) [2,3] f32, "steps": 7
   * i32 scalar, "z": [0.5] f64, "mask": [true, false, true], "empty": zeros [0,3] f32, "é\"\n": [1]
   * f32}, metadata={"b": "c", "format": "pt"})}.
   */
  private static final byte[] REFERENCE =
      Base64.getMimeDecoder()
          .decode(
              """
              yAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJiIjoiYyIsImZvcm1hdCI6InB0In0sInoiOnsiZHR5
              cGUiOiJGNjQiLCJzaGFwZSI6WzFdLCJkYXRhX29mZnNldHMiOlswLDhdfSwiYS53ZWlnaHQiOnsi
              ZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzIsM10sImRhdGFfb2Zmc2V0cyI6WzgsMzJdfSwiYi5iaWFz
              Ijp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsyXSwiZGF0YV9vZmZzZXRzIjpbMzIsNDBdfSwiZW1w
              dHkiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzAsM10sImRhdGFfb2Zmc2V0cyI6WzQwLDQwXX0s
              IsOpXCJcbiI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbMV0sImRhdGFfb2Zmc2V0cyI6WzQwLDQ0
              XX0sInN0ZXBzIjp7ImR0eXBlIjoiSTMyIiwic2hhcGUiOltdLCJkYXRhX29mZnNldHMiOls0NCw0
              OF19LCJtYXNrIjp7ImR0eXBlIjoiQk9PTCIsInNoYXBlIjpbM10sImRhdGFfb2Zmc2V0cyI6WzQ4
              LDUxXX19ICAAAAAAAADgPwAAAAAAAIA/AAAAQAAAQEAAAIBAAACgQAAAwD8AAADAAACAPwcAAAAB
              AAE=
              """);

  @TempDir Path folder;

  private static byte[] floats(float... values) {
    var buffer = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (var value : values) {
      buffer.putFloat(value);
    }
    return buffer.array();
  }

  private static TensorSource source(
      String name, StoredType type, List<Long> shape, byte... bytes) {
    return new TensorSource(name, type, shape, channel -> channel.write(ByteBuffer.wrap(bytes)));
  }

  private static byte[] read(SafetensorsFile file, String name) throws IOException {
    return Channels.newInputStream(file.read(name)).readAllBytes();
  }

  private static final Map<String, byte[]> CONTENT =
      Map.of(
          "b.bias", floats(1.5f, -2),
          "a.weight", floats(0, 1, 2, 3, 4, 5),
          "steps", new byte[] {7, 0, 0, 0},
          "z", new byte[] {0, 0, 0, 0, 0, 0, (byte) 0xE0, 0x3F}, // 0.5
          "mask", new byte[] {1, 0, 1},
          "empty", new byte[0],
          "é\"\n", floats(1));

  private static final List<TensorSource> SOURCES =
      List.of(
          stored("b.bias", StoredType.F32, 2L),
          stored("a.weight", StoredType.F32, 2L, 3L),
          stored("steps", StoredType.I32),
          stored("z", StoredType.F64, 1L),
          stored("mask", StoredType.BOOL, 3L),
          stored("empty", StoredType.F32, 0L, 3L),
          stored("é\"\n", StoredType.F32, 1L));

  private static TensorSource stored(String name, StoredType type, Long... shape) {
    return source(name, type, List.of(shape), Objects.requireNonNull(CONTENT.get(name)));
  }

  @Test
  void writesTheVeryBytesOfTheReferenceImplementation() throws IOException {
    var file = folder.resolve("ours.safetensors");
    SafetensorsFile.write(file, SOURCES, Map.of("format", "pt", "b", "c"));
    assertThat(file).hasBinaryContent(REFERENCE);
  }

  @Test
  void writesTheSameBytesWhereDigitsAreOthers() throws IOException {
    var file = folder.resolve("ours.safetensors");
    var before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
      SafetensorsFile.write(file, SOURCES, Map.of("format", "pt", "b", "c"));
    } finally {
      Locale.setDefault(before);
    }
    assertThat(file).hasBinaryContent(REFERENCE);
  }

  @Test
  void readsWhatTheReferenceImplementationWrites() throws IOException {
    var path = folder.resolve("reference.safetensors");
    Files.write(path, REFERENCE);
    try (var file = SafetensorsFile.open(path)) {
      assertThat(file.metadata()).isEqualTo(Map.of("format", "pt", "b", "c"));
      assertThat(file.tensors().keySet())
          .containsExactly("z", "a.weight", "b.bias", "empty", "é\"\n", "steps", "mask");
      for (var source : SOURCES) {
        var stored = Objects.requireNonNull(file.tensors().get(source.name()));
        assertThat(stored.type()).isEqualTo(source.type());
        assertThat(stored.shape()).isEqualTo(source.shape());
        var bytes = Objects.requireNonNull(CONTENT.get(source.name()));
        assertThat(stored.elements()).isEqualTo(bytes.length / stored.type().bytes());
        assertThat(read(file, source.name())).as(source.name()).isEqualTo(bytes);
      }
    }
  }

  @Test
  void aFileOfNoTensorsIsAFile() throws IOException {
    var path = folder.resolve("none.safetensors");
    SafetensorsFile.write(path, List.of(), Map.of());
    assertThat(Files.size(path)).isEqualTo(16);
    try (var file = SafetensorsFile.open(path)) {
      assertThat(file.tensors()).isEmpty();
      assertThat(file.metadata()).isEmpty();
    }
  }

  @Test
  void dataBeginsAtAMultipleOfEightWhateverTheNames() throws IOException {
    for (int length = 1; length <= 16; length++) {
      var path = folder.resolve("aligned");
      SafetensorsFile.write(
          path,
          List.of(source("x".repeat(length), StoredType.U8, List.of(1L), (byte) 9)),
          Map.of());
      assertThat(Files.size(path) % 8).isEqualTo(1);
      try (var file = SafetensorsFile.open(path)) {
        assertThat(read(file, "x".repeat(length))).containsExactly(9);
      }
    }
  }

  @Test
  void streamsTensorsLargerThanItsBuffer() throws IOException {
    var bytes = new byte[(5 << 20) / 2 + 3];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (i * 31 + (i >> 11));
    }
    var path = folder.resolve("large");
    SafetensorsFile.write(
        path,
        List.of(
            source("large", StoredType.U8, List.of((long) bytes.length), bytes),
            source("small", StoredType.U8, List.of(1L), (byte) 1)),
        Map.of());
    try (var file = SafetensorsFile.open(path)) {
      assertThat(read(file, "large")).isEqualTo(bytes);
    }
  }

  @Test
  void refusesToWriteTwoTensorsOfOneName() {
    var twice = source("w", StoredType.U8, List.of(1L), (byte) 1);
    assertThatThrownBy(
            () -> SafetensorsFile.write(folder.resolve("f"), List.of(twice, twice), Map.of()))
        .isInstanceOf(SafetensorsException.class)
        .hasMessageEndingWith("f: two tensors have the name \"w\"");
    var reserved = source("__metadata__", StoredType.U8, List.of(1L), (byte) 1);
    assertThatThrownBy(
            () -> SafetensorsFile.write(folder.resolve("f"), List.of(reserved), Map.of()))
        .hasMessageContaining("reserved name __metadata__");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void aSourceOfTheWrongSizeLeavesTheOldFile() throws IOException {
    var path = folder.resolve("weights");
    SafetensorsFile.write(path, SOURCES, Map.of());
    var before = Files.readAllBytes(path);
    var wrong = source("w", StoredType.F32, List.of(2L, 3L), new byte[23]);
    assertThatThrownBy(() -> SafetensorsFile.write(path, List.of(wrong), Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "safetensors write: tensor \"w\", F32 [2, 3], needs 24 bytes, its source wrote 23");
    assertThat(path).hasBinaryContent(before);
    assertThat(folder.toFile().list()).containsExactly("weights");
  }

  @Test
  void readingNamesWhatIsMissing() throws IOException {
    var path = folder.resolve("weights");
    SafetensorsFile.write(path, SOURCES, Map.of());
    try (var file = SafetensorsFile.open(path)) {
      assertThatThrownBy(() -> file.read("wz"))
          .isInstanceOf(SafetensorsException.class)
          .hasMessageContaining("no tensor \"wz\"; it holds \"z\", \"a.weight\"");
    }
  }

  @Test
  void aFileCutAfterOpeningIsAnError() throws IOException {
    var path = folder.resolve("weights");
    SafetensorsFile.write(path, SOURCES, Map.of());
    try (var file = SafetensorsFile.open(path);
        var other = FileChannel.open(path, StandardOpenOption.WRITE)) {
      other.truncate(Files.size(path) - 1);
      assertThatThrownBy(() -> read(file, "mask"))
          .isInstanceOf(SafetensorsException.class)
          .hasMessageEndingWith("the file became shorter while it was read");
    }
  }

  @Test
  void tensorsAreReadInAnyOrderAndInAnyPortions() throws IOException {
    var path = folder.resolve("weights");
    SafetensorsFile.write(path, SOURCES, Map.of());
    try (var file = SafetensorsFile.open(path);
        var weight = file.read("a.weight");
        var bias = file.read("b.bias")) {
      var first = ByteBuffer.allocate(10);
      assertThat(weight.read(first)).isEqualTo(10);
      var other = ByteBuffer.allocate(100);
      assertThat(bias.read(other)).isEqualTo(8);
      assertThat(other.limit()).isEqualTo(100);
      assertThat(bias.read(other)).isEqualTo(-1);
      var rest = ByteBuffer.allocate(14);
      assertThat(weight.read(rest)).isEqualTo(14);
      assertThat(first.array()).isEqualTo(Arrays.copyOf(floats(0, 1, 2, 3, 4, 5), 10));
      assertThat(rest.array()).isEqualTo(Arrays.copyOfRange(floats(0, 1, 2, 3, 4, 5), 10, 24));
      assertThat(weight.isOpen()).isTrue();
    }
  }

  @Test
  void aBooleanIsZeroOrOne() throws IOException {
    var path = folder.resolve("mask");
    SafetensorsFile.write(
        path,
        List.of(source("mask", StoredType.BOOL, List.of(4L), new byte[] {0, 1, (byte) 255, 0})),
        Map.of());
    try (var file = SafetensorsFile.open(path)) {
      assertThatThrownBy(() -> read(file, "mask"))
          .isInstanceOf(SafetensorsException.class)
          .hasMessageEndingWith(
              "tensor \"mask\", BOOL: element 2 is the byte 255, neither 0 nor 1");
    }
  }
}
