package carousel.nn.layer;

import static carousel.tensor.DType.F64;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.autograd.GradCheck;
import carousel.nn.Layer;
import carousel.nn.Parameter;
import carousel.nn.Training;
import carousel.nn.Transform;
import carousel.nn.Unnamed;
import carousel.nn.init.Init;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Layers of the common form, one after another and around each other. */
class SequentialTest {
  private static final Init INIT = Init.normal(0.7).as(F64);
  private TensorScope run;

  @BeforeEach
  void open() {
    run = TensorScope.open();
  }

  @AfterEach
  void close() {
    run.close();
  }

  /** A layer of a user's, with a weight. */
  record Prelu(Parameter slope) implements Transform {
    @Override
    public Tensor apply(Tensor x) {
      return x.maximum(0).add(x.minimum(0).mul(slope.value()));
    }
  }

  private static Linear linear(int in, int out, long seed) {
    return Linear.of(in, out, INIT, INIT, Philox.of(seed));
  }

  @Test
  void appliesOneAfterAnother() {
    var first = linear(3, 4, 1);
    var second = linear(4, 2, 2);
    var all = Sequential.of(first, Tensor::tanh, Activation.RELU, second);
    Tensor x = Philox.of(3).normal(F64, 0, 1, 5, 2, 3);
    assertThat(all.apply(x).sameValues(second.apply(first.apply(x).tanh().relu()))).isTrue();
    assertThat(Sequential.of().apply(x)).isSameAs(x);
    assertThat(all.outputs(3)).isEqualTo(2);
    assertThat(Sequential.of().outputs(7)).isEqualTo(7);
  }

  @Test
  void parametersAreNamedByPlaceAsInPyTorch() {
    var inner = Sequential.of(linear(4, 4, 2), LayerNorm.of(F64, 4));
    var all =
        Sequential.of(
            linear(3, 4, 1),
            Tensor::tanh,
            inner,
            new Residual(linear(4, 4, 3)),
            new Prelu(Parameter.of(Tensor.ones(F64))));
    assertThat(all.parameters().names())
        .containsExactly(
            "0.weight",
            "0.bias",
            "2.0.weight",
            "2.0.bias",
            "2.1.gain",
            "2.1.bias",
            "3.f.weight",
            "3.f.bias",
            "4.slope");
    record Model(Sequential net) implements Layer {}
    assertThat(new Model(inner).parameters().names()).startsWith("net.0.weight");
    assertThat(inner.parameters().names()).startsWith("0.weight");
  }

  @Test
  void anUnnamedComponentAddsNothingToPaths() {
    record Wrapped(@Unnamed Linear inner, Linear head) implements Layer {}
    assertThat(new Wrapped(linear(2, 2, 1), linear(2, 2, 2)).parameters().names())
        .containsExactly("weight", "bias", "head.weight", "head.bias");
    record Clash(@Unnamed Linear a, @Unnamed Linear b) implements Layer {}
    var clash = new Clash(linear(2, 2, 1), linear(2, 2, 2));
    assertThatThrownBy(clash::parameters).hasMessageContaining("two parameters are named 'weight'");
  }

  @Test
  void gradientsToSecondOrder() {
    var layer =
        Sequential.of(
            linear(3, 4, 1),
            Tensor::softplus,
            new Residual(Sequential.of(LayerNorm.of(F64, 4), linear(4, 4, 2), Activation.TANH)),
            new Prelu(Parameter.of(Tensor.full(F64, 0.3))));
    Tensor x = Philox.of(3).normal(F64, 0, 1, 2, 3);
    var by = new ArrayList<>(List.of(x));
    by.addAll(layer.parameters().tensors());
    GradCheck.standard()
        .run("composed", in -> layer.apply(in[0]), by.toArray(Tensor[]::new))
        .require();
  }

  @Test
  void aFunctionThatUsesWeightsIsRefusedWhereParametersAreLookedFor() {
    var hidden = linear(3, 3, 1);
    var weight = hidden.weight();
    var several = List.of(hidden);
    record Plain(double slope) {}
    var plain = new Plain(2);
    UnaryOperator<Tensor> applied = hidden::apply;
    double slope = 0.5;
    assertThatThrownBy(() -> Sequential.of(x -> hidden.apply(x)).parameters())
        .isInstanceOf(TensorException.class)
        .hasMessage(
            "parameters: the function at '0' uses a Linear, whose weights would not be found; make it a record that"
                + " implements Transform");
    assertThatThrownBy(() -> Sequential.of(applied::apply).parameters())
        .hasMessageContaining("uses a Linear");
    assertThatThrownBy(() -> Sequential.of(x -> x.matmul(weight.value())).parameters())
        .hasMessageContaining("uses a Parameter");
    assertThatThrownBy(() -> Sequential.of(x -> several.getFirst().apply(x)).parameters())
        .hasMessageContaining("uses a List with a Parameter");
    Transform alone = x -> hidden.apply(x);
    assertThatThrownBy(alone::parameters).hasMessageContaining("the function uses a Linear");
    assertThat(Sequential.of(x -> x.mul(slope), x -> x.mul(plain.slope())).parameters().size())
        .isZero();
  }

  /** Any function, not only a Transform, in any place, and however it came to its weights. */
  @Test
  void functionsOfOtherTypesAreLookedIntoToo() {
    record Model(Linear head, UnaryOperator<Tensor> f, List<Supplier<Tensor>> more)
        implements Layer {}
    var head = linear(3, 3, 1);
    var other = linear(3, 3, 2);
    var weight = other.weight();
    UnaryOperator<Tensor> applied = other::apply;
    UnaryOperator<Tensor> nested = x -> applied.apply(x).tanh();
    UnaryOperator<Tensor> anonymous =
        new UnaryOperator<>() {
          @Override
          public Tensor apply(Tensor x) {
            return x.matmul(weight.value());
          }
        };
    for (var f : List.of(applied, nested)) {
      assertThatThrownBy(() -> new Model(head, f, List.of()).parameters())
          .isInstanceOf(TensorException.class)
          .hasMessageContaining(
              "parameters: the function at 'f' uses a Linear, whose weights would");
    }
    assertThatThrownBy(() -> new Model(head, anonymous, List.of()).parameters())
        .hasMessageContaining("the function at 'f' uses a Parameter");
    assertThatThrownBy(() -> new Model(head, Tensor::tanh, List.of(weight::value)).parameters())
        .hasMessageContaining("the function at 'more.0' uses a Parameter");
    double slope = 0.5;
    Tensor fixed = Tensor.ones(F64, 3);
    var recursive = new UnaryOperator<?>[1];
    UnaryOperator<Tensor> loop = x -> recursive.length > 1 ? x : x.mul(fixed);
    recursive[0] = loop;
    for (UnaryOperator<Tensor> f :
        List.<UnaryOperator<Tensor>>of(Tensor::tanh, x -> x.mul(slope), x -> x.mul(fixed), loop)) {
      assertThat(new Model(head, f, List.of()).parameters().names())
          .containsExactly("head.weight", "head.bias");
    }
  }

  @Test
  void sizesAreCheckedWhereTheyAreKnown() {
    var wrong = Sequential.of(linear(3, 4, 1), Tensor::tanh, linear(5, 2, 2));
    assertThatThrownBy(() -> wrong.outputs(3))
        .isInstanceOf(TensorException.class)
        .hasMessage(
            "sequential: layer 2: linear: reads 5 features, the rows of its weight [5,2], got 4");
    assertThatThrownBy(() -> LayerNorm.of(4).outputs(3)).hasMessageContaining("reads 4 features");
    assertThat(LayerNorm.of(4).outputs(4)).isEqualTo(4);
    assertThat(new Dropout(0.5).outputs(4)).isEqualTo(4);
    assertThat(Embedding.of(9, 6, INIT, Philox.of(1)).outputs(1)).isEqualTo(6);
    assertThatThrownBy(() -> new Residual(new Widening(3, 1)).outputs(3))
        .hasMessage("residual: f, Widening, makes 1 features of 3; what is added must be as x is");
    assertThatThrownBy(() -> new Residual(new Widening(3, 1)).apply(Tensor.zeros(F64, 2, 3)))
        .hasMessage("residual: f makes [2,1] of x [2,3]; what is added must be as x is");
  }

  /** A layer of a user's that does not say what it reads. */
  record Widening(int in, int out) implements Transform {
    @Override
    public Tensor apply(Tensor x) {
      return x.matmul(Tensor.ones(x.dtype(), in, out));
    }

    @Override
    public int outputs(int inputs) {
      return out;
    }
  }

  /** Of all pairs of layers, whatever that does not change sizes is between them, at construction. */
  @Test
  void neighboursAreCheckedWhenTheyArePutTogether() {
    var embedding = Embedding.of(9, 4, INIT, Philox.of(1));
    Transform given = new Residual(linear(4, 4, 3));
    for (Transform first : List.of(linear(3, 4, 1), embedding, LayerNorm.of(F64, 4), given)) {
      for (List<Transform> between :
          List.<List<Transform>>of(
              List.of(),
              List.of(Activation.RELU, new Dropout(0.1)),
              List.of(new Residual(Tensor::tanh)))) {
        for (Transform fits :
            List.of(linear(4, 2, 2), given, Sequential.of(Activation.TANH, linear(4, 5, 1)))) {
          var layers = new ArrayList<Transform>(List.of(first));
          layers.addAll(between);
          layers.add(fits);
          assertThat(new Sequential(layers).layers()).hasSize(between.size() + 2);
        }
        for (Transform wrong :
            List.of(
                linear(5, 2, 2),
                LayerNorm.of(F64, 5),
                Linear.tied(Embedding.of(9, 5, INIT, Philox.of(2))),
                new Residual(linear(5, 5, 2)),
                Sequential.of(new Dropout(0.2), linear(5, 2, 1)))) {
          var layers = new ArrayList<Transform>(List.of(first));
          layers.addAll(between);
          layers.add(wrong);
          assertThatThrownBy(() -> new Sequential(layers))
              .isInstanceOf(TensorException.class)
              .hasMessage(
                  "sequential: layer %d, %s, reads 5 features, and layer 0, %s, gives 4",
                  between.size() + 1,
                  wrong.getClass().getSimpleName(),
                  first.getClass().getSimpleName());
        }
      }
    }
    assertThatThrownBy(() -> new Residual(linear(3, 4, 1)))
        .isInstanceOf(TensorException.class)
        .hasMessage("residual: f, Linear, makes 4 features of 3; what is added must be as x is");
    assertThat(Sequential.of(Activation.TANH, linear(4, 5, 1)).reads()).hasValue(4);
    assertThat(new Residual(linear(4, 4, 1)).reads()).hasValue(4);
    assertThat(Sequential.of(Tensor::tanh, linear(4, 5, 1)).reads()).isEmpty();
    assertThat(Sequential.of(embedding, linear(4, 5, 1)).reads()).isEmpty();
  }

  /** What a function makes of sizes nobody knows: it may halve them. */
  @Test
  void behindAFunctionNothingIsKnown() {
    var halved = Sequential.of(linear(3, 4, 1), x -> x.glu(-1), linear(2, 5, 2));
    assertThat(halved.apply(Tensor.ones(F64, 7, 3)).shape()).isEqualTo(Shape.of(7, 5));
    var widened = Sequential.of(linear(3, 4, 1), new Widening(4, 6), linear(6, 5, 2));
    assertThat(widened.outputs(3)).isEqualTo(5);
  }

  @Test
  void noiseInItIsThatOfTraining() {
    var layer = Sequential.of(new Dropout(1), Activation.IDENTITY);
    Tensor x = Tensor.ones(4);
    assertThat(layer.apply(x)).isSameAs(x);
    assertThat(Training.with(Philox.of(1), () -> layer.apply(x)).toFloatArray()).containsOnly(0);
  }

  @Test
  void aTiedLayerScoresByTheEmbedding() {
    var embedding = new Embedding(INIT.parameter(Philox.of(1), 5, 3), OptionalInt.empty());
    var head = Linear.tied(embedding);
    requireNonNull(head.bias()).assign(Tensor.arange(F64, 0, 5, 1));
    Tensor x = Philox.of(2).normal(F64, 0, 1, 4, 2, 3);
    Tensor table = embedding.weight().value();
    Tensor expected =
        x.reshape(8, 3).matmul(table.transpose(0, 1)).add(requireNonNull(head.bias()).value());
    assertThat(head.apply(x).shape()).isEqualTo(Shape.of(4, 2, 5));
    assertThat(head.apply(x).reshape(8, 5).allClose(expected, 0, 1e-14)).isTrue();
    assertThat(Linear.tiedWithoutBias(embedding).apply(x).sum().item())
        .isCloseTo(expected.sum().item() - 8 * 10, org.assertj.core.data.Offset.offset(1e-12));
    assertThat(head.outputs(3)).isEqualTo(5);
    assertThatThrownBy(() -> head.outputs(5)).hasMessageContaining("tiedLinear: reads 3 features");
    assertThatThrownBy(() -> head.apply(Tensor.zeros(F64, 2, 5)))
        .hasMessageContaining("tiedLinear: x [2,5] must have a last axis of 3");
    assertThatThrownBy(() -> new TiedLinear(embedding.weight(), Parameter.of(Tensor.zeros(F64, 3))))
        .hasMessageContaining("the bias must have shape [5]");
    assertThatThrownBy(() -> new TiedLinear(Parameter.of(Tensor.zeros(3)), null))
        .hasMessageContaining("must be a table [V,D], got [3]");
  }

  @Test
  void aTiedTableIsListedOnceAndLearnsFromBothUses() {
    record Model(Embedding embed, TiedLinear head) implements Layer {
      Tensor loss(Tensor tokens) {
        return head.apply(embed.apply(tokens).tanh()).square().sum();
      }
    }
    var embedding = new Embedding(INIT.parameter(Philox.of(1), 5, 3), OptionalInt.empty());
    var model = new Model(embedding, Linear.tied(embedding));
    assertThat(model.parameters().names()).containsExactly("embed.weight", "head.bias");
    Tensor tokens = Tensor.of(Shape.of(2, 2), 1, 4, 4, 0);
    GradCheck.standard()
        .run("tied", in -> model.loss(tokens), model.parameters().tensors().toArray(Tensor[]::new))
        .require();
  }

  @Test
  void aTiedLayerHasTheTypeOfItsTable() {
    var single = Embedding.of(5, 3, Init.ones(), Philox.of(1));
    assertThat(requireNonNull(Linear.tied(single).bias()).value().dtype()).isEqualTo(DType.F32);
    assertThatThrownBy(() -> Linear.tied(single).apply(Tensor.zeros(F64, 2, 3)))
        .hasMessageContaining("tiedLinear");
  }
}
