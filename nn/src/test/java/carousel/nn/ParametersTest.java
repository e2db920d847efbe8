package carousel.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.nn.Parameters.Named;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ParametersTest {
  private TensorScope run;

  @BeforeEach
  void open() {
    run = TensorScope.open();
  }

  @AfterEach
  void close() {
    run.close();
  }

  private static Parameter some(int... dims) {
    return Parameter.of(Tensor.zeros(dims));
  }

  private record Cell(Parameter wx, Parameter wh, @Nullable Parameter bias) implements Layer {}

  private record Recurrence(Cell cell, boolean reverse) implements Layer {}

  private record Settings(int width, String name, double[] scales, Path where, Tensor mask) {}

  private record Gates(Parameter input, Parameter output) {}

  private enum Kind {
    ONE
  }

  @SuppressWarnings("ArrayRecordComponent") // What is tested.
  private record Model(
      Settings settings,
      Kind kind,
      List<Recurrence> stack,
      Gates[] gates,
      Optional<Parameter> scale,
      Optional<Layer> extra,
      UnaryOperator<Tensor> activation,
      Object anything,
      Parameter last)
      implements Layer {}

  @Test
  void areNamedByTheirPaths() {
    var settings =
        new Settings(3, "small", new double[] {1, 2}, Path.of("a", "b"), Tensor.zeros(2));
    var model =
        new Model(
            settings,
            Kind.ONE,
            List.of(
                new Recurrence(new Cell(some(2, 3), some(3, 3), some(3)), false),
                new Recurrence(new Cell(some(3, 3), some(3, 3), null), true)),
            new Gates[] {new Gates(some(1), some(2))},
            Optional.of(some()),
            Optional.empty(),
            Tensor::tanh,
            new Gates(some(4), some(5)),
            some(7));
    var parameters = model.parameters();

    assertThat(parameters.names())
        .containsExactly(
            "stack.0.cell.wx",
            "stack.0.cell.wh",
            "stack.0.cell.bias",
            "stack.1.cell.wx",
            "stack.1.cell.wh",
            "gates.0.input",
            "gates.0.output",
            "scale",
            "anything.input",
            "anything.output",
            "last");
    assertThat(parameters.size()).isEqualTo(11);
    assertThat(parameters.count()).isEqualTo(6 + 9 + 3 + 9 + 9 + 1 + 2 + 1 + 4 + 5 + 7);
    assertThat(parameters.get("stack.0.cell.bias"))
        .isSameAs(model.stack().getFirst().cell().bias());
    assertThat(parameters.toString()).startsWith("stack.0.cell.wx F32 [2,3]\nstack.0.cell.wh F32");
    assertThat(parameters).extracting(Named::name).containsExactlyElementsOf(parameters.names());
    assertThat(parameters).extracting(Named::value).contains(model.last().value());
  }

  @Test
  void listTiedWeightsOnceUnderTheFirstPath() {
    var shared = some(3, 3);
    var cell = new Cell(some(2, 3), shared, null);
    record Twice(Recurrence first, Cell second, Parameter third) implements Layer {}
    var parameters = new Twice(new Recurrence(cell, false), cell, shared).parameters();
    assertThat(parameters.names()).containsExactly("first.cell.wx", "first.cell.wh");
    assertThat(parameters.count()).isEqualTo(6 + 9);
  }

  /** A layer that chooses what is trained of it. */
  private record Frozen(Cell cell) implements Layer {
    @Override
    public Parameters parameters() {
      return cell.parameters().where(named -> named.name().equals("bias"));
    }
  }

  private static final class Handmade implements Layer {
    private final Parameter gain = some(2);

    @Override
    public Parameters parameters() {
      return Parameters.of(List.of(new Named("g", gain)));
    }
  }

  @Test
  void askLayersThatOverride() {
    record Two(Frozen frozen, Handmade handmade) implements Layer {}
    var two = new Two(new Frozen(new Cell(some(1), some(1), some(1))), new Handmade());
    assertThat(two.parameters().names()).containsExactly("frozen.bias", "handmade.g");
  }

  @Test
  void refuseALayerThatIsNoRecord() {
    class Plain implements Layer {}
    assertThatThrownBy(() -> new Plain().parameters())
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("Plain is a layer but no record")
        .hasMessageContaining("override parameters()");
  }

  @Test
  void refuseContainersWithoutAnOrder() {
    record Sets(Set<Parameter> heads) implements Layer {}
    record Maps(Map<String, Parameter> heads) implements Layer {}
    assertThatThrownBy(() -> new Sets(Set.of(some(1))).parameters())
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("'heads' holds parameters in a Set")
        .hasMessageContaining("use a List");
    assertThatThrownBy(() -> new Maps(Map.of("a", some(1))).parameters())
        .hasMessageContaining("'heads' holds parameters in a Map");

    record Harmless(Set<String> words, Map<String, Integer> counts, Parameter p) implements Layer {}
    assertThat(new Harmless(Set.of("a"), Map.of("a", 1), some(1)).parameters().names())
        .containsExactly("p");
  }

  @Test
  void saysWhatFailedInAnAccessor() {
    record Broken(Parameter p) implements Layer {
      @Override
      @SuppressWarnings("UnusedMethod") // By reflection.
      public Parameter p() {
        throw new IllegalStateException("not today");
      }
    }
    assertThatThrownBy(() -> new Broken(some(1)).parameters())
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("p() failed")
        .hasRootCauseMessage("not today");
  }

  @Test
  void nameWhatIsNearAWrongName() {
    record Few(Parameter weight, Parameter bias) implements Layer {}
    assertThatThrownBy(() -> new Few(some(1), some(1)).parameters().get("wieght"))
        .isInstanceOf(TensorException.class)
        .hasMessage("parameters: there is no 'wieght'; there are: weight, bias");

    record Many(List<Cell> cells) implements Layer {}
    var cells = List.of(new Cell(some(1), some(1), some(1)), new Cell(some(1), some(1), some(1)));
    assertThatThrownBy(() -> new Many(cells).parameters().get("cell.1.wx"))
        .hasMessage(
            "parameters: there is no 'cell.1.wx'; nearest of 6:"
                + " cells.1.wx, cells.0.wx, cells.1.wh, cells.0.wh, cells.1.bias");

    record None() implements Layer {}
    assertThatThrownBy(() -> new None().parameters().get("x"))
        .hasMessageEndingWith("there are none at all");
  }

  @Test
  void haveNamesThatDiffer() {
    var named = List.of(new Named("w", some(1)), new Named("w", some(2)));
    assertThatThrownBy(() -> Parameters.of(named))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("two parameters are named 'w'");
  }

  @Test
  void countEdits() {
    assertThat(NearMisses.distance("kitten", "sitting")).isEqualTo(3);
    assertThat(NearMisses.distance("", "abc")).isEqualTo(3);
    assertThat(NearMisses.distance("abc", "")).isEqualTo(3);
    assertThat(NearMisses.distance("same", "same")).isZero();
  }
}
