package carousel.nn.io;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against files that NumPy wrote, by {@code nn/src/test/python/numpyfiles.py}. */
class NpyTest {
  @TempDir Path folder;
  private Path file;
  private TensorScope scope;

  @BeforeEach
  void open() {
    file = folder.resolve("x.npy");
    scope = TensorScope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  static byte[] numpy(String name) {
    try (var in = NpyTest.class.getResourceAsStream("/numpy/" + name)) {
      return Objects.requireNonNull(in, name).readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Tensor load(String name) throws IOException {
    return Npy.load(Files.write(file, numpy(name + ".npy")));
  }

  /** What numpyfiles.py puts into every array. */
  static Tensor expected(DType dtype, int... shape) {
    Tensor k = Tensor.arange((int) Arrays.stream(shape).asLongStream().reduce(1, (a, b) -> a * b));
    Tensor values =
        switch (dtype) {
          case F32, F64 -> k.cast(dtype).div(4).sub(1);
          case I32 -> k.mul(3).sub(2);
          case BOOL -> k.cast(DType.F64).div(3).floor().mul(3).eq(k.cast(DType.F64));
        };
    return values.reshape(shape);
  }

  @ParameterizedTest
  @CsvSource({"f2,F32", "f4,F32", "f8,F64", "i4,I32", "i8,I32", "b1,BOOL"})
  void readsEveryType(String name, DType dtype) throws IOException {
    assertThat(load(name).sameValues(expected(dtype, 2, 3))).isTrue();
  }

  @Test
  void readsEveryShapeOrderAndVersion() throws IOException {
    assertThat(load("scalar").sameValues(expected(DType.F32))).isTrue();
    assertThat(load("vector").sameValues(expected(DType.F32, 5))).isTrue();
    assertThat(load("empty").sameValues(expected(DType.F64, 3, 0, 2))).isTrue();
    assertThat(load("columns").sameValues(expected(DType.F32, 2, 3, 4))).isTrue();
    assertThat(load("version2").sameValues(expected(DType.F32, 2, 3))).isTrue();
    assertThat(load("version3").sameValues(expected(DType.F32, 2, 3))).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"f4,F32", "f8,F64", "i4,I32", "b1,BOOL"})
  void writesTheVeryBytesOfNumPy(String name, DType dtype) throws IOException {
    Npy.save(file, expected(dtype, 2, 3));
    assertThat(file).hasBinaryContent(numpy(name + ".npy"));
  }

  @Test
  void writesTheVeryBytesOfNumPyInOtherTypesAndShapes() throws IOException {
    Npy.save(file, TensorSource.of("", expected(DType.F64, 2, 3), StoredType.F16));
    assertThat(file).hasBinaryContent(numpy("f2.npy"));
    Npy.save(file, TensorSource.of("", expected(DType.I32, 2, 3), StoredType.I64));
    assertThat(file).hasBinaryContent(numpy("i8.npy"));
    Npy.save(file, expected(DType.F32));
    assertThat(file).hasBinaryContent(numpy("scalar.npy"));
    Npy.save(file, expected(DType.F32, 5));
    assertThat(file).hasBinaryContent(numpy("vector.npy"));
    Npy.save(file, expected(DType.F64, 3, 0, 2));
    assertThat(file).hasBinaryContent(numpy("empty.npy"));
  }

  @Test
  void largeArraysAreStreamed() throws IOException {
    Tensor x = Philox.of(3).uniform(DType.F32, -1, 1, 301, 257);
    Npy.save(file, x.transpose(0, 1));
    assertThat(Npy.load(file).sameValues(x.transpose(0, 1))).isTrue();
  }

  @Test
  void numPyHasNoBrainFloats() {
    assertThatThrownBy(() -> Npy.save(file, TensorSource.of("w", Tensor.ones(2), StoredType.BF16)))
        .isInstanceOf(NpyException.class)
        .hasMessageEndingWith(
            "tensor \"w\": NumPy has no BF16; store it as F32 or F16, or in a safetensors file");
    assertThat(file).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "bigendian | big-endian (\">f4\"): save it with a.astype('<f4')",
        "objects | holds Python objects, which are not read: they would be run; save numbers",
        "record | the element type",
        "complex | the element type \"'<c16'\"; read are [<i8, <f8, <f4, <i4, <f2, |b1]: convert",
      })
  void whatIsNotReadIsNamed(String name, String message) {
    assertThatThrownBy(() -> load(name))
        .isInstanceOf(NpyException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContaining(message);
  }

  @Test
  void everyTruncationIsRefused() throws IOException {
    var whole = numpy("f4.npy");
    for (int length = 0; length < whole.length; length++) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> Npy.load(file))
          .isInstanceOf(NpyException.class)
          .hasMessageStartingWith(file + ": ");
    }
    Files.write(file, Arrays.copyOf(whole, whole.length + 1));
    assertThatThrownBy(() -> Npy.load(file))
        .hasMessageEndingWith(
            "F32 [2, 3] needs 24 bytes, 25 follow the header; is there something else behind the array?");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "(2, 3)  | (2 3)   | is no tuple",
        "(2, 3)  | (6)     | is no tuple",
        "(2, 3)  | (,6)    | is no tuple",
        "(2, 3)  | (2,-3)  | the header must hold",
        "(2, 3)  | (9999999999999999999,) | does not fit in 63 bits",
        "(2, 3)  | (4611686018427387904, 4611686018427387904) | is larger than any file",
        "'<f4'   | '<f5'   | the element type",
        "'<f4'   | '=f4'   | the element type",
        "'<f4'   | ''      | the element type",
        "'<f4'   | True    | the element type",
        "False   | 'False' | fortran_order is",
        "'shape' | 'descr' | says 'descr' twice",
        "'shape' | 'chape' | must hold descr, fortran_order and shape",
        "{       | (       | is no dictionary",
        "NUMPY   | NUMPi   | must begin with",
      })
  void whatIsWrongWithAHeaderIsNamed(String from, String to, String message) throws IOException {
    String text = new String(numpy("f4.npy"), ISO_8859_1);
    int spaces = to.length() - from.length();
    String changed = text.replace(from, to);
    changed = spaces > 0 ? changed.replace(" ".repeat(spaces) + "\n", "\n") : changed;
    changed = spaces < 0 ? changed.replace("\n", " ".repeat(-spaces) + "\n") : changed;
    Files.write(file, changed.getBytes(ISO_8859_1));
    assertThatThrownBy(() -> Npy.load(file))
        .isInstanceOf(NpyException.class)
        .hasMessageContaining(message);
  }

  @Test
  void keysAndQuotesMayBeOthers() throws IOException {
    String text = new String(numpy("f4.npy"), ISO_8859_1);
    String ours = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
    String theirs = "{\"shape\":(2,3),\"fortran_order\":False,\"descr\":\"<f4\"}";
    String padded = theirs + " ".repeat(ours.length() - theirs.length());
    Files.write(file, text.replace(ours, padded).getBytes(ISO_8859_1));
    assertThat(Npy.load(file).sameValues(expected(DType.F32, 2, 3))).isTrue();
  }

  @Test
  void versionsOfTheFutureAreRefused() throws IOException {
    var bytes = numpy("f4.npy");
    bytes[6] = 4;
    Files.write(file, bytes);
    assertThatThrownBy(() -> Npy.load(file))
        .hasMessageEndingWith("format version 4.0 of NumPy; known are 1.0, 2.0 and 3.0");
  }

  /** As NumPy wrote them under Python 2, and reads them still. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"(2L, 3L)|2,3", "(6L,)|6", "(2L, 3)|2,3", "(1L, 2L, 3L, )|1,2,3"})
  void longNumbersOfPython2(String tuple, String dims) throws IOException {
    var shape = Arrays.stream(dims.split(",")).mapToInt(Integer::parseInt).toArray();
    assertThat(Npy.load(python2(tuple)).shape().toArray()).isEqualTo(shape);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"(2LL, 3L)", "(L, 6)", "(2l, 3)", "(6L)", "(0x6L,)"})
  void whatPython2NeverWrote(String tuple) throws IOException {
    var odd = python2(tuple);
    assertThatThrownBy(() -> Npy.load(odd)).isInstanceOf(NpyException.class);
  }

  private Path python2(String tuple) throws IOException {
    String text =
        String.format(
            Locale.ROOT, "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }\n", tuple);
    var bytes = new java.io.ByteArrayOutputStream();
    bytes.writeBytes("\u0093NUMPY\u0001\u0000".getBytes(ISO_8859_1));
    bytes.write(text.length());
    bytes.write(0);
    bytes.writeBytes(text.getBytes(ISO_8859_1));
    bytes.writeBytes(new byte[24]);
    return Files.write(file, bytes.toByteArray());
  }
}
