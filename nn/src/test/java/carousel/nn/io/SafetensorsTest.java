package carousel.nn.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.nn.Layer;
import carousel.nn.Parameter;
import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsTest {
  @TempDir Path folder;
  private Path file;
  private TensorScope scope;

  @BeforeEach
  void open() {
    file = folder.resolve("weights.safetensors");
    scope = TensorScope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  @Test
  void everyTypeAndShapeComesBackBitForBit() throws IOException {
    var tensors = new LinkedHashMap<String, Tensor>();
    tensors.put("f32", Tensor.of(-0f, 1 / 3f, Float.NaN, Float.NEGATIVE_INFINITY, Float.MIN_VALUE));
    tensors.put("f64", Tensor.of(Shape.of(2, 2), Math.PI, -0.0, Double.MAX_VALUE, 1e-320));
    tensors.put("i32", Tensor.of(Integer.MIN_VALUE, -1, 0, Integer.MAX_VALUE));
    tensors.put("bool", Tensor.of(Shape.of(3), true, false, true));
    tensors.put("scalar", Tensor.full(DType.F32, 2.5));
    tensors.put("empty", Tensor.zeros(3, 0, 2));
    Safetensors.save(file, tensors, Map.of("format", "pt"));
    var loaded = Safetensors.load(file);
    assertThat(loaded).hasSameSizeAs(tensors);
    tensors.forEach((name, tensor) -> {
      Tensor back = Objects.requireNonNull(loaded.get(name));
      assertThat(back.dtype()).as(name).isEqualTo(tensor.dtype());
      assertThat(back.shape()).as(name).isEqualTo(tensor.shape());
      assertThat(back.sameValues(tensor)).as(name).isTrue();
    });
    float zero = Objects.requireNonNull(loaded.get("f32")).toFloatArray()[0];
    assertThat(Float.floatToRawIntBits(zero)).isEqualTo(Float.floatToRawIntBits(-0f));
    try (var stored = SafetensorsFile.open(file)) {
      assertThat(stored.metadata()).isEqualTo(Map.of("format", "pt"));
    }
  }

  @Test
  void viewsAreSavedAsTheyLook() throws IOException {
    Tensor x = Tensor.arange(24).reshape(2, 3, 4);
    var views = Map.of("t", x.transpose(0, 2), "s", x.narrow(1, 1, 2), "f", x.flip(2));
    Safetensors.save(file, views);
    var loaded = Safetensors.load(file);
    views.forEach((name, view) ->
        assertThat(Objects.requireNonNull(loaded.get(name)).sameValues(view)).isTrue());
  }

  @Test
  void largeTensorsAreStreamed() throws IOException {
    Tensor x = Philox.of(3).uniform(DType.F32, -1, 1, 301, 257);
    Safetensors.save(file, Map.of("x", x));
    assertThat(Files.size(file)).isBetween(4L * 301 * 257, 4L * 301 * 257 + 200);
    Tensor target = Tensor.zeros(257, 301).transpose(0, 1);
    Safetensors.loadInto(file, Map.of("x", target));
    assertThat(target.sameValues(x)).isTrue();
  }

  @Test
  void loadedTensorsBelongToTheScopeAroundTheCall() throws IOException {
    Safetensors.save(file, Map.of("x", Tensor.of(1f, 2f)));
    Tensor inner;
    try (var _ = TensorScope.open()) {
      inner = Objects.requireNonNull(Safetensors.load(file).get("x"));
      assertThat(inner.toFloatArray()).containsExactly(1, 2);
    }
    assertThat(Engine.storage(inner).isOpen()).isFalse();
  }

  @Test
  void loadIntoWritesTheWeightsInPlace() throws IOException {
    var trained = Map.of("wx", Tensor.of(1f, 2f), "n", Tensor.of(7));
    Safetensors.save(file, trained);
    var model = Map.of("wx", Tensor.zeros(2), "n", Tensor.of(0));
    Safetensors.loadInto(file, model);
    trained.forEach((name, tensor) ->
        assertThat(Objects.requireNonNull(model.get(name)).sameValues(tensor)).isTrue());
  }

  record Pair(Parameter left, Parameter right) implements Layer {
    static Pair of(float left, float right) {
      return new Pair(Parameter.of(Tensor.of(left)), Parameter.of(Tensor.of(right)));
    }
  }

  record Nest(List<Pair> pairs, Parameter bias) implements Layer {}

  @Test
  void theWeightsOfAModelComeBackUnderTheirNames() throws IOException {
    var trained = new Nest(List.of(Pair.of(1, 2), Pair.of(3, 4)), Parameter.of(Tensor.of(5f)));
    Safetensors.save(file, trained.parameters(), Map.of("cell", "lstm"));
    assertThat(Safetensors.metadata(file)).isEqualTo(Map.of("cell", "lstm"));
    assertThat(Safetensors.load(file).keySet())
        .containsExactlyInAnyOrder(
            "pairs.0.left", "pairs.0.right", "pairs.1.left", "pairs.1.right", "bias");
    var fresh = new Nest(List.of(Pair.of(0, 0), Pair.of(0, 0)), Parameter.of(Tensor.of(0f)));
    Safetensors.loadInto(file, fresh.parameters());
    assertThat(fresh.parameters().stream().map(named -> named.value().item()))
        .containsExactly(1.0, 2.0, 3.0, 4.0, 5.0);
    assertThatThrownBy(() -> Safetensors.loadInto(file, Pair.of(0, 0).parameters()))
        .hasMessageContaining("\"left\", F32 [1], is missing");
  }

  @Test
  void aFileOfAnotherModelChangesNothing() throws IOException {
    Safetensors.save(
        file,
        Map.of(
            "a",
            Tensor.ones(2),
            "b",
            Tensor.ones(3),
            "c",
            Tensor.ones(DType.F64, 1),
            "z",
            Tensor.ones(1)));
    var model = new LinkedHashMap<String, Tensor>();
    model.put("a", Tensor.zeros(2));
    model.put("b", Tensor.zeros(1, 3));
    model.put("c", Tensor.zeros(1));
    model.put("d", Tensor.zeros(2, 5));
    assertThatThrownBy(() -> Safetensors.loadInto(file, model))
        .isInstanceOf(SafetensorsException.class)
        .hasMessage(
            file
                + ": these are the weights of another model: \"b\" is F32 [3] in the file, F32"
                + " [1,3] in the model; \"c\" is F64 [1] in the file, F32 [1] in the model; \"d\","
                + " F32 [2,5], is missing; \"z\" is not in the model");
    assertThat(model.values()).allMatch(t -> t.sameValues(t.zerosLike()));
  }

  @Test
  void manyDifferencesAreAbridged() throws IOException {
    Safetensors.save(file, Map.of());
    var model = new LinkedHashMap<String, Tensor>();
    for (int i = 0; i < 9; i++) {
      model.put("w" + i, Tensor.zeros(1));
    }
    assertThatThrownBy(() -> Safetensors.loadInto(file, model))
        .hasMessageEndingWith("\"w5\", F32 [1], is missing; and 3 differences more");
  }

  @Test
  void truncatedFilesAreRefusedBeforeAnythingIsRead() throws IOException {
    var weights = Map.of("a", Tensor.ones(20), "b", Tensor.ones(30));
    Safetensors.save(file, weights);
    var whole = Files.readAllBytes(file);
    var model = Map.of("a", Tensor.zeros(20), "b", Tensor.zeros(30));
    for (int length = 0; length < whole.length; length++) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> Safetensors.loadInto(file, model))
          .isInstanceOf(SafetensorsException.class)
          .hasMessageStartingWith(file + ": ");
    }
    assertThat(model.values()).allMatch(t -> t.sameValues(t.zerosLike()));
  }

  @Test
  void typesThatTensorsDoNotHaveAreNamed() throws IOException {
    write("n", StoredType.U32, List.of(2L), 8);
    assertThatThrownBy(() -> Safetensors.load(file))
        .isInstanceOf(SafetensorsException.class)
        .hasMessageEndingWith(
            "tensor \"n\" is U32; what can be read is [I64, F64, F32, I32, BF16, F16, BOOL]: convert"
                + " it where it was made");
    assertThatThrownBy(() -> Safetensors.loadInto(file, Map.of("n", Tensor.of(1, 2))))
        .hasMessageContaining("\"n\" is U32 [2] in the file, I32 [2] in the model");
  }

  @Test
  void shapesThatTensorsCannotHaveAreNamed() throws IOException {
    write("x", StoredType.F32, List.of(0L, 1L << 31), 0);
    assertThatThrownBy(() -> Safetensors.load(file))
        .isInstanceOf(SafetensorsException.class)
        .hasMessageEndingWith("tensor \"x\" has an axis of 2147483648, longer than 2^31 - 1");
    long long31 = (1L << 31) - 1;
    write("x", StoredType.F32, List.of(long31, long31, long31, 0L), 0);
    assertThatThrownBy(() -> Safetensors.load(file))
        .isInstanceOf(SafetensorsException.class)
        .hasMessageContaining("tensor \"x\" has the shape [2147483647, ");
  }

  private void write(String name, StoredType type, List<Long> shape, int bytes) throws IOException {
    var source =
        new TensorSource(name, type, shape, channel -> channel.write(ByteBuffer.allocate(bytes)));
    SafetensorsFile.write(file, List.of(source), Map.of());
  }

  @Test
  void aTensorOfATypeThatThereIsNotLeavesTheOthers() throws IOException {
    Tensor w = Tensor.of(1f, -2f);
    TensorSource.Content bytes = channel -> AtomicFile.writeFully(channel, ByteBuffer.allocate(4));
    for (var type : List.of(StoredType.U8, StoredType.F8_E4M3, StoredType.I8)) {
      var odd = new TensorSource("odd", type, List.of(4L), bytes);
      SafetensorsFile.write(file, List.of(TensorSource.of("w", w), odd), Map.of());
      assertThatThrownBy(() -> Safetensors.load(file))
          .hasMessageContaining("tensor \"odd\" is " + type)
          .hasMessageEndingWith(", or load(path, names) without it");
      var loaded = Safetensors.load(file, List.of("w"));
      assertThat(loaded.keySet()).containsExactly("w");
      assertThat(Objects.requireNonNull(loaded.get("w")).sameValues(w)).isTrue();
      assertThatThrownBy(() -> Safetensors.load(file, List.of("w", "odd")))
          .hasMessageContaining("tensor \"odd\" is " + type);
    }
    assertThatThrownBy(() -> Safetensors.load(file, List.of("v")))
        .isInstanceOf(SafetensorsException.class)
        .hasMessageContaining("no tensor \"v\"; it holds \"w\", \"odd\"");
  }

  @Test
  void aLoadThatNeedNotBeWholeSaysWhatItDid() throws IOException {
    Safetensors.save(file, Map.of("a", Tensor.of(1f, 2f), "old.head", Tensor.ones(5)));
    Tensor a = Tensor.zeros(2);
    Tensor head = Tensor.full(DType.F32, 7, 3);
    var report = Safetensors.loadMatchingInto(file, Map.of("a", a, "head", head));
    assertThat(report)
        .isEqualTo(new LoadReport(List.of("a"), List.of("head"), List.of("old.head")));
    assertThat(report.isWhole()).isFalse();
    assertThat(a.sameValues(Tensor.of(1f, 2f))).isTrue();
    assertThat(head.sameValues(Tensor.full(DType.F32, 7, 3))).isTrue();
    // A weight of another shape is not the same weight, and nothing is loaded.
    a.fill(0);
    var other = Map.of("a", a, "old.head", Tensor.zeros(4));
    assertThatThrownBy(() -> Safetensors.loadMatchingInto(file, other))
        .isInstanceOf(SafetensorsException.class)
        .hasMessageContaining("\"old.head\" is F32 [5] in the file, F32 [4] in the model");
    assertThat(a.sameValues(Tensor.zeros(2))).isTrue();
  }
}
