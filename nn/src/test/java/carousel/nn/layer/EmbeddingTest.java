package carousel.nn.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.nn.Goldens;
import carousel.nn.Parameter;
import carousel.nn.Wrong;
import carousel.nn.init.Init;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import carousel.tensor.golden.Golden;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class EmbeddingTest {
  private static final Golden GOLDEN = Golden.load("embedding");

  private TensorScope run;

  @BeforeEach
  void open() {
    run = TensorScope.open();
  }

  @AfterEach
  void close() {
    run.close();
  }

  private static void expect(String key, OptionalInt padding) {
    var layer = new Embedding(Parameter.of(Goldens.tensor(GOLDEN, "table")), padding);
    Tensor tokens = Goldens.tensor(GOLDEN, "indices");
    Goldens.expect(
        GOLDEN,
        key,
        Goldens.tensor(GOLDEN, "w"),
        new String[] {"table"},
        new Tensor[] {layer.weight().value()},
        in -> layer.apply(tokens),
        1e-12);
  }

  @Test
  void agreesWithPyTorch() {
    expect("embedding", OptionalInt.empty());
  }

  @Test
  void noGradientReachesThePaddingRow() {
    expect("padded", OptionalInt.of(0));
  }

  @Test
  void thePaddingRowStartsAtZero() {
    var layer = Embedding.padded(5, 3, 2, Init.ones(), Philox.of(1));
    assertThat(layer.apply(Tensor.of(1, 2)).toFloatArray()).containsExactly(1, 1, 1, 0, 0, 0);
    assertThat(layer.parameters().names()).containsExactly("weight");
  }

  @Test
  void namesATokenThatIsNotInTheTable() {
    var layer = Embedding.of(10, 3, Init.ones(), Philox.of(1));
    assertThat(layer.apply(Tensor.of(Shape.of(2, 2), 0, 9, 1, 2)).shape())
        .isEqualTo(Shape.of(2, 2, 3));
    Wrong.index(
        () -> layer.apply(Tensor.of(Shape.of(2, 2), 0, 9, 1, 10)),
        10,
        "embedding: token 10 at [1,1] of [2,2] is out of range; valid are 0 to 9");
    Wrong.index(() -> layer.apply(Tensor.of(-1)), -1, "token -1 at [0] of [1] is out of range");
    assertThatThrownBy(() -> layer.apply(Tensor.zeros(2)))
        .hasMessageContaining("tokens must be I32, got F32 [2]");
  }

  @Test
  void checksItsTable() {
    assertThatThrownBy(() -> new Embedding(Parameter.of(Tensor.zeros(3)), OptionalInt.empty()))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("the weight must be a table [V,D], got [3]");
    assertThatThrownBy(() -> Embedding.padded(5, 3, 5, Init.ones(), Philox.of(1)))
        .hasMessageContaining("padding token 5 is out of range for a table of 5 rows");
  }
}
