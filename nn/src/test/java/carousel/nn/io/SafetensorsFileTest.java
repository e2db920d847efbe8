package carousel.nn.io;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.nn.io.SafetensorsFile.Source;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Base64;
import java.util.List;
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

  private static MemorySegment floats(float... values) {
    var buffer = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (var value : values) buffer.putFloat(value);
    return MemorySegment.ofArray(buffer.array());
  }

  private static Source source(String name, StoredType type, List<Long> shape, byte... bytes) {
    return new Source(name, type, shape, () -> MemorySegment.ofArray(bytes));
  }

  private static final List<Source> SOURCES =
      List.of(
          new Source("b.bias", StoredType.F32, List.of(2L), () -> floats(1.5f, -2)),
          new Source("a.weight", StoredType.F32, List.of(2L, 3L), () -> floats(0, 1, 2, 3, 4, 5)),
          source("steps", StoredType.I32, List.of(), (byte) 7, (byte) 0, (byte) 0, (byte) 0),
          new Source(
              "z",
              StoredType.F64,
              List.of(1L),
              () ->
                  MemorySegment.ofArray(
                      ByteBuffer.allocate(8)
                          .order(ByteOrder.LITTLE_ENDIAN)
                          .putDouble(0.5)
                          .array())),
          source("mask", StoredType.BOOL, List.of(3L), (byte) 1, (byte) 0, (byte) 1),
          source("empty", StoredType.F32, List.of(0L, 3L)),
          new Source("é\"\n", StoredType.F32, List.of(1L), () -> floats(1)));

  @Test
  void writesTheVeryBytesOfTheReferenceImplementation() throws IOException {
    var file = folder.resolve("ours.safetensors");
    SafetensorsFile.write(file, SOURCES, Map.of("format", "pt", "b", "c"));
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
        var bytes = source.bytes().get();
        assertThat(stored.elements()).isEqualTo(bytes.byteSize() / stored.type().bytes());
        var into = MemorySegment.ofArray(new byte[(int) bytes.byteSize()]);
        file.read(source.name(), into);
        assertThat(into.mismatch(bytes)).as(source.name()).isEqualTo(-1);
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
    for (var length = 1; length <= 16; length++) {
      var path = folder.resolve("aligned");
      SafetensorsFile.write(
          path,
          List.of(source("x".repeat(length), StoredType.U8, List.of(1L), (byte) 9)),
          Map.of());
      assertThat(Files.size(path) % 8).isEqualTo(1);
      try (var file = SafetensorsFile.open(path)) {
        var into = MemorySegment.ofArray(new byte[1]);
        file.read("x".repeat(length), into);
        assertThat(into.get(JAVA_BYTE, 0)).isEqualTo((byte) 9);
      }
    }
  }

  @Test
  void streamsTensorsLargerThanItsBuffer() throws IOException {
    var bytes = new byte[(5 << 20) / 2 + 3];
    for (var i = 0; i < bytes.length; i++) bytes[i] = (byte) (i * 31 + (i >> 11));
    var path = folder.resolve("large");
    SafetensorsFile.write(
        path,
        List.of(
            source("large", StoredType.U8, List.of((long) bytes.length), bytes),
            source("small", StoredType.U8, List.of(1L), (byte) 1)),
        Map.of());
    try (var file = SafetensorsFile.open(path)) {
      var into = new byte[bytes.length];
      file.read("large", MemorySegment.ofArray(into));
      assertThat(into).isEqualTo(bytes);
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
            "safetensors write: tensor \"w\", F32 [2, 3], needs 24 bytes, its source gives 23");
    assertThat(path).hasBinaryContent(before);
    assertThat(folder.toFile().list()).containsExactly("weights");
  }

  @Test
  void readingNamesWhatIsMissing() throws IOException {
    var path = folder.resolve("weights");
    SafetensorsFile.write(path, SOURCES, Map.of());
    try (var file = SafetensorsFile.open(path)) {
      assertThatThrownBy(() -> file.read("wz", MemorySegment.ofArray(new byte[4])))
          .isInstanceOf(SafetensorsException.class)
          .hasMessageContaining("no tensor \"wz\"; it holds \"z\", \"a.weight\"");
      assertThatThrownBy(() -> file.read("z", MemorySegment.ofArray(new byte[4])))
          .hasMessage("safetensors read: tensor \"z\" has 8 bytes, the segment 4");
    }
  }

  @Test
  void aFileCutAfterOpeningIsAnError() throws IOException {
    var path = folder.resolve("weights");
    SafetensorsFile.write(path, SOURCES, Map.of());
    try (var file = SafetensorsFile.open(path);
        var other = FileChannel.open(path, StandardOpenOption.WRITE)) {
      other.truncate(Files.size(path) - 1);
      assertThatThrownBy(() -> file.read("mask", MemorySegment.ofArray(new byte[3])))
          .isInstanceOf(SafetensorsException.class)
          .hasMessageEndingWith("the file became shorter while it was read");
    }
  }
}
