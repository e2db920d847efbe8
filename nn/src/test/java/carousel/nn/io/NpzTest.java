package carousel.nn.io;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.nn.init.Init;
import carousel.nn.layer.Linear;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NpzTest {
  private static final int LOCAL = 0x04034b50;
  private static final int CENTRAL = 0x02014b50;

  @TempDir Path folder;
  private Path file;
  private TensorScope scope;

  @BeforeEach
  void open() {
    file = folder.resolve("weights.npz");
    scope = TensorScope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"stored.npz", "compressed.npz"})
  void readsWhatNumPyWrites(String name) throws IOException {
    var loaded = Npz.load(Files.write(file, NpyTest.numpy(name)));
    var expected =
        Map.of(
            "layer.0.wx", NpyTest.expected(DType.F32, 2, 3),
            "columns", NpyTest.expected(DType.F64, 4, 5),
            "é", NpyTest.expected(DType.I32, 7),
            "half", NpyTest.expected(DType.F32, 40, 50),
            "empty", NpyTest.expected(DType.F32, 0, 3));
    assertThat(loaded.keySet()).containsExactlyInAnyOrderElementsOf(expected.keySet());
    expected.forEach((key, tensor) ->
        assertThat(Objects.requireNonNull(loaded.get(key)).sameValues(tensor)).as(key).isTrue());
  }

  @Test
  void everyTypeComesBackBitForBit() throws IOException {
    var tensors = new LinkedHashMap<String, Tensor>();
    tensors.put("f32", Tensor.of(-0f, 1 / 3f, Float.NaN, Float.NEGATIVE_INFINITY, 1e-40f));
    tensors.put("f64", Tensor.of(Math.PI, -0.0, Double.MAX_VALUE, 1e-320));
    tensors.put("i32", Tensor.of(Integer.MIN_VALUE, -1, 0, Integer.MAX_VALUE));
    tensors.put("mask", Tensor.of(1f, 2f).gt(1));
    tensors.put("scalar", Tensor.full(DType.F32, 2.5));
    tensors.put("empty", Tensor.zeros(3, 0, 2));
    tensors.put("large", Philox.of(3).uniform(DType.F32, -1, 1, 301, 257).transpose(0, 1));
    Npz.save(file, tensors);
    var loaded = Npz.load(file);
    assertThat(loaded.keySet()).containsExactlyElementsOf(tensors.keySet());
    tensors.forEach((name, tensor) ->
        assertThat(Objects.requireNonNull(loaded.get(name)).sameValues(tensor)).as(name).isTrue());
    var before = Files.readAllBytes(file);
    Npz.save(file, tensors);
    assertThat(file).hasBinaryContent(before);
  }

  @Test
  void theWeightsOfAModelComeBack() throws IOException {
    var trained = Linear.of(2, 3, Init.uniform(1), Philox.of(1));
    var fresh = Linear.of(2, 3, Init.uniform(1), Philox.of(2));
    Npz.save(file, Loading.values(trained.parameters()));
    Npz.loadInto(file, fresh.parameters());
    assertThat(fresh.weight().value().sameValues(trained.weight().value())).isTrue();
    var other = Linear.of(2, 4, Init.uniform(1), Philox.of(2));
    assertThatThrownBy(() -> Npz.loadInto(file, other.parameters()))
        .isInstanceOf(NpyException.class)
        .hasMessageContaining("\"weight\" is F32 [2,3] in the file, F32 [2,4] in the model");
  }

  @Test
  void twoTensorsCannotHaveOneName() {
    var source = TensorSource.of("w", Tensor.ones(1));
    assertThatThrownBy(() -> Npz.save(file, List.of(source, source)))
        .isInstanceOf(NpyException.class)
        .hasMessageEndingWith("two tensors have the name \"w\"");
    assertThat(file).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"stored.npz", "compressed.npz"})
  void everyTruncationIsRefused(String name) throws IOException {
    var whole = NpyTest.numpy(name);
    for (int length = 0; length < whole.length; length += 1 + length / 64) {
      Files.write(file, Arrays.copyOf(whole, length));
      refused("");
    }
  }

  private void refused(String message) {
    assertThatThrownBy(() -> Npz.load(file))
        .isInstanceOf(NpyException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContaining(message);
  }

  private static byte[] array(long elements, byte... data) {
    var header = NpyHeader.encode(StoredType.U8, List.of(elements));
    var all = Arrays.copyOf(header, header.length + data.length);
    System.arraycopy(data, 0, all, header.length, data.length);
    return all;
  }

  private static byte[] zip(Map<String, byte[]> entries) throws IOException {
    var bytes = new ByteArrayOutputStream();
    try (var zip = new ZipOutputStream(bytes)) {
      for (var entry : entries.entrySet()) {
        zip.putNextEntry(new ZipEntry(entry.getKey()));
        zip.write(entry.getValue());
        zip.closeEntry();
      }
    }
    return bytes.toByteArray();
  }

  /** Changes a field of the first entry of the directory. */
  private static byte[] directory(byte[] zip, int offset, int value) {
    var buffer = ByteBuffer.wrap(zip).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = 0; at < zip.length - 4; at++) {
      if (buffer.getInt(at) == CENTRAL) {
        buffer.putInt(at + offset, value);
        return zip;
      }
    }
    throw new AssertionError("no directory");
  }

  @Test
  void anArrayThatPretendsIsRefusedBeforeItIsUnpacked() throws IOException {
    // The directory and the header agree on a gigabyte, which 100 bytes cannot hold.
    var pretended = zip(Map.of("x.npy", array(1 << 30)));
    int size = (1 << 30) + array(1 << 30).length;
    Files.write(file, directory(pretended, 24, size));
    refused("array \"x.npy\" cannot unpack from");
    // The header alone pretends.
    Files.write(file, zip(Map.of("x.npy", array(1 << 30))));
    refused("array \"x\": U8 [1073741824] needs 1073741824 bytes, 0 follow the header");
  }

  @Test
  void anArrayThatUnpacksToMoreThanItSaysIsRefused() throws IOException {
    // 100,000 zeros, of which the directory and the header know 10.
    var more = array(10, new byte[100_000]);
    Npz.save(file, Map.of("x", Tensor.of(1f)));
    var bytes = zip(Map.of("x.npy", retyped(more)));
    Files.write(file, directory(bytes, 24, array(10).length + 10));
    refused("array \"x\" unpacks to more than it announces");
    // And one that unpacks to less.
    bytes = zip(Map.of("x.npy", retyped(array(100, new byte[90]))));
    Files.write(file, directory(bytes, 24, array(100).length + 100));
    refused("array \"x\" cannot be unpacked: it ends after 90 bytes");
  }

  /** The same array as booleans, which can be loaded. */
  private static byte[] retyped(byte[] array) {
    String text = new String(array, ISO_8859_1);
    return text.replace("|u1", "|b1").getBytes(ISO_8859_1);
  }

  /** Shrunk, imploded, Deflate64, bzip2, LZMA, Zstandard, XZ, and encrypted by WinZip. */
  @ParameterizedTest
  @ValueSource(ints = {1, 6, 9, 12, 14, 93, 95, 99})
  void otherCompressionIsRefusedByName(int method) throws IOException {
    Npz.save(file, Map.of("w", Tensor.ones(3)));
    var bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = 0; at + 12 < bytes.limit(); at++) {
      if (bytes.getInt(at) == LOCAL) {
        bytes.putShort(at + 8, (short) method);
      }
      if (bytes.getInt(at) == CENTRAL) {
        bytes.putShort(at + 10, (short) method);
      }
    }
    Files.write(file, bytes.array());
    refused("compressed as no npz of NumPy is");
    refused("compression method: " + method);
    refused("; save it with savez_compressed");
  }

  @Test
  void damagedDataIsFoundByItsChecksum() throws IOException {
    Npz.save(file, Map.of("x", Tensor.ones(100)));
    var bytes = Files.readAllBytes(file);
    bytes[300] ^= 1;
    Files.write(file, bytes);
    refused("array \"x\" is corrupt: its checksum is wrong");
  }

  /** The directory of a zip file of one entry lists it twice, under two names of one length. */
  private static byte[] listedTwice(byte[] zip, String name, String other) {
    String text = new String(zip, ISO_8859_1);
    int central = text.indexOf("PK\u0001\u0002");
    int end = text.indexOf("PK\u0005\u0006");
    String entry = text.substring(central, end);
    String twice = text.substring(0, end) + entry.replace(name, other) + text.substring(end);
    var bytes = ByteBuffer.wrap(twice.getBytes(ISO_8859_1)).order(ByteOrder.LITTLE_ENDIAN);
    int last = end + entry.length();
    bytes.putShort(last + 8, (short) 2).putShort(last + 10, (short) 2);
    bytes.putInt(last + 12, 2 * entry.length());
    return bytes.array();
  }

  @Test
  void entriesThatShareTheirBytesAreRefused() throws IOException {
    Npz.save(file, Map.of("x", Tensor.ones(500)));
    Files.write(file, listedTwice(Files.readAllBytes(file), "x.npy", "y.npy"));
    refused("overlaps another, or the end");
  }

  @Test
  void entriesOfOneNameAreRefused() throws IOException {
    Npz.save(file, Map.of("x", Tensor.zeros(0)));
    Files.write(file, listedTwice(Files.readAllBytes(file), "x.npy", "x.npy"));
    refused("two arrays have the name \"x.npy\"");
  }

  @Test
  void otherEntriesAreRefused() throws IOException {
    Files.write(file, zip(Map.of("../../x.npy", array(0), "readme.txt", new byte[3])));
    refused("holds \"readme.txt\", which is no array (.npy)");
    assertThat(folder.toFile().list()).containsExactly("weights.npz");
  }

  @Test
  void someOfTheTensorsAndSomeOfTheWeights() throws IOException {
    Npz.save(file, Map.of("a", Tensor.of(1f, 2f), "b", Tensor.ones(3)));
    assertThat(Npz.load(file, List.of("b")).keySet()).containsExactly("b");
    assertThatThrownBy(() -> Npz.load(file, List.of("c")))
        .isInstanceOf(NpyException.class)
        .hasMessageContaining("no tensor \"c\"");
    Tensor a = Tensor.zeros(2);
    assertThat(Npz.loadMatchingInto(file, Map.of("a", a, "z", Tensor.zeros(1))))
        .isEqualTo(new LoadReport(List.of("a"), List.of("z"), List.of("b")));
    assertThat(a.sameValues(Tensor.of(1f, 2f))).isTrue();
  }
}
