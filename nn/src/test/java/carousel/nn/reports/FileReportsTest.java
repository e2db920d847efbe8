package carousel.nn.reports;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.nn.io.Safetensors;
import carousel.nn.io.SafetensorsException;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What users of other readers of safetensors reported, tried here. */
class FileReportsTest {
  @TempDir Path folder;

  private Path file(String header, int announced, float... data) throws IOException {
    byte[] text = header.getBytes(UTF_8);
    var bytes =
        ByteBuffer.allocate(8 + text.length + 4 * data.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(announced < 0 ? text.length : announced).put(text);
    for (float v : data) {
      bytes.putFloat(v);
    }
    return Files.write(folder.resolve("file.safetensors"), bytes.array());
  }

  private void refused(String message, String header, float... data) throws IOException {
    Path path = file(header, -1, data);
    try (var scope = TensorScope.open()) {
      assertThatThrownBy(() -> Safetensors.load(path))
          .isInstanceOf(SafetensorsException.class)
          .hasMessageContaining(message);
    }
  }

  @Test
  @DisplayName(
      "safetensors 401, 586, mlx 3363: one name twice, one place twice, a shape that its place does not hold")
  void headersThatLie() throws IOException {
    String a = "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}";
    refused("\"a\" occurs twice", "{" + a + "," + a + "}", 1);
    refused(
        "\"b\"", "{" + a + ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 1);
    refused("\"t\"", "{\"t\":{\"dtype\":\"F32\",\"shape\":[1000,1000],\"data_offsets\":[0,4]}}", 1);
    refused("\"t\"", "{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,0]}}");
    refused("\"t\"", "{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 1);
    refused("", "{" + a + "}", 1, 2); // bytes that are nobody's
  }

  @Test
  @DisplayName(
      "fastsafetensors 88, safetensors 442: metadata without anything, tensors without elements, scalars")
  void emptyThings() throws IOException {
    String header =
        "{\"__metadata__\":{},\"none\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},"
            + "\"one\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
            + "\"wide\":{\"dtype\":\"F32\",\"shape\":[3,0,2],\"data_offsets\":[4,4]}}   ";
    Path path = file(header, -1, 2.5f);
    try (var scope = TensorScope.open()) {
      Map<String, Tensor> all = Safetensors.load(path);
      assertThat(all).containsOnlyKeys("none", "one", "wide");
      assertThat(Objects.requireNonNull(all.get("one")).item()).isEqualTo(2.5);
      assertThat(Objects.requireNonNull(all.get("none")).shape()).isEqualTo(Shape.of(0));
      assertThat(Objects.requireNonNull(all.get("wide")).shape()).isEqualTo(Shape.of(3, 0, 2));
      assertThat(Safetensors.metadata(path)).isEmpty();
    }
  }

  @Test
  @DisplayName("RuView 809, mlx-engine 117: a header padded with NUL, and one longer than any file")
  void headersThatEndElsewhere() throws IOException {
    refused("expected the end of the header", "{}\0\0\0\0\0\0");
    Path path = file("{}", 2_000_000_000, 1);
    try (var scope = TensorScope.open()) {
      assertThatThrownBy(() -> Safetensors.load(path)).isInstanceOf(SafetensorsException.class);
    }
  }
}
