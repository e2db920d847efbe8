package carousel.tensor.golden;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GoldenTest {

  private static byte[] file(String header, double... data) {
    var text = header.getBytes(UTF_8);
    var bytes = ByteBuffer.allocate(Long.BYTES + text.length + data.length * Double.BYTES);
    bytes.order(ByteOrder.LITTLE_ENDIAN).putLong(text.length).put(text);
    for (double value : data) {
      bytes.putDouble(value);
    }
    return bytes.array();
  }

  @Test
  void readsTensorsAndMetadata() {
    var golden =
        Golden.parse(
            "made",
            file(
                "{\"__metadata__\":{\"say\":\"a \\\"\\u03c3\\\"\"},"
                    + "\"m\":{\"dtype\":\"F64\",\"shape\":[2,1],\"data_offsets\":[8,24]},"
                    + "\"s\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]}}  ",
                3.5,
                -0.0,
                Double.NaN));
    assertThat(golden.metadata()).containsEntry("say", "a \"σ\"").hasSize(1);
    assertThat(golden.tensors().keySet()).containsExactly("m", "s");
    assertThat(golden.shape("m")).containsExactly(2, 1);
    assertThat(golden.values("m")).containsExactly(-0.0, Double.NaN);
    assertThat(golden.tensor("s").item()).isEqualTo(3.5);
    assertThatThrownBy(() -> golden.tensor("w"))
        .hasMessage("golden made: no tensor 'w', it has [m, s]");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "{}x",
        "{\"a\"}",
        "{\"a\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[0,8]}}",
        "{\"a\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[0,16]}}",
        "{\"a\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2]}}",
        "{\"a\":{\"dtype\":\"F64\",\"shape\":1,\"data_offsets\":[0,8]}}"
      })
  void refusesWhatIsNotWhole(String header) {
    assertThatThrownBy(() -> Golden.parse("broken", file(header, 1.0)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("golden");
  }

  @Test
  void refusesTruncatedFilesAndMissingOnes() {
    var whole = file("{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}", 1.0);
    assertThat(Golden.parse("whole", whole).values("a")).containsExactly(1.0);
    for (int length = 0; length < whole.length; length++) {
      var part = Arrays.copyOf(whole, length);
      assertThatThrownBy(() -> Golden.parse("part", part)).hasMessageStartingWith("golden");
    }
    assertThatThrownBy(() -> Golden.load("none"))
        .hasMessageStartingWith("golden: no pytorch-goldens/none.safetensors on the class path");
  }

  @ParameterizedTest
  @CsvSource({"1.0, 1.0", "-0.0, 0.0", "NaN, NaN", "-Infinity, -Infinity", "1000.0009, 1000"})
  void expectsWhatIsCloseEnough(double actual, double expected) {
    single(expected).expect("a", new double[] {actual}, 1e-6);
  }

  @ParameterizedTest
  @CsvSource({
    "1.1, 1.0",
    "NaN, 1.0",
    "1.0, NaN",
    "Infinity, 1e300",
    "1e300, Infinity",
    "-Infinity, Infinity",
    "1000.0011, 1000",
    "0.000002, 0"
  })
  void reportsWhatIsNot(double actual, double expected) {
    assertThatThrownBy(() -> single(expected).expect("a", new double[] {actual}, 1e-6))
        .isInstanceOf(AssertionError.class)
        .hasMessageStartingWith("single/a: at [0, 0] is " + actual + ", expected " + expected);
    assertThatThrownBy(() -> single(expected).expect("a", new double[2], 1e-6))
        .hasMessage("single/a: 2 elements, expected 1 of shape [1, 1]");
  }

  private static Golden single(double value) {
    String header = "{\"a\":{\"dtype\":\"F64\",\"shape\":[1,1],\"data_offsets\":[0,8]}}";
    return Golden.parse("single", file(header, value));
  }

  /** The files themselves, against what Java's own libm says where it has the function. */
  @ParameterizedTest
  @ValueSource(strings = {"unary-f64", "unary-f32"})
  void agreesWithJavaOnUnaryFunctions(String name) {
    var golden = Golden.load(name);
    boolean single = golden.tensor("x").dtype().equals("F32");
    assertThat(golden.under("tanh")).containsExactly("", ".dx");
    var x = golden.values("x");
    for (int i = 0; i < x.length; i++) {
      same(golden.values("exp")[i], Math.exp(x[i]), single);
      same(golden.values("expm1")[i], Math.expm1(x[i]), single);
      same(golden.values("log")[i], Math.log(x[i]), single);
      same(golden.values("log1p")[i], Math.log1p(x[i]), single);
      same(golden.values("tanh")[i], Math.tanh(x[i]), single);
      same(golden.values("sin")[i], Math.sin(x[i]), single);
      same(golden.values("tan")[i], Math.tan(x[i]), single);
      same(golden.values("sqrt")[i], Math.sqrt(x[i]), single);
      same(golden.values("round")[i], Math.rint(x[i]), single);
      same(golden.values("floor")[i], Math.floor(x[i]), single);
      assertThat(golden.tensor("isNan").ints()[i]).isEqualTo(Double.isNaN(x[i]) ? 1 : 0);
    }
  }

  private static void same(double golden, double java, boolean single) {
    double expected = single ? (float) java : java;
    if (Double.isNaN(expected)) {
      assertThat(golden).isNaN();
    } else if (Double.isInfinite(expected)) {
      assertThat(golden).isEqualTo(expected);
    } else {
      double ulp = single ? Math.ulp((float) expected) : Math.ulp(expected);
      assertThat(golden).isBetween(expected - 4 * ulp, expected + 4 * ulp);
    }
  }
}
