package carousel.nn.recurrent;

import static carousel.nn.recurrent.Layers.D;
import static carousel.nn.recurrent.Layers.H;
import static carousel.nn.recurrent.Layers.cell;
import static carousel.nn.recurrent.Layers.random;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.nn.Parameter;
import carousel.nn.Training;
import carousel.nn.Wrong;
import carousel.nn.init.Init;
import carousel.nn.layer.Dropout;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every way to use a layer wrongly, and what it says. */
class RecurrentErrorsTest {
  private final TensorScope scope = TensorScope.open();
  private final Recurrent<?> elman = Recurrent.of(cell("elman"));
  private final Recurrent<?> lstm = Recurrent.of(cell("lstm"));
  private final Tensor x = random(1, 4, 2, D);

  @AfterEach
  void close() {
    scope.close();
  }

  private static AbstractThrowableAssert<?, ? extends Throwable> wrong(ThrowingCallable call) {
    return assertThatThrownBy(call).isInstanceOf(TensorException.class);
  }

  @Test
  void inputs() {
    wrong(() -> elman.run(random(1, 2, D)))
        .hasMessageContaining("recurrent Elman: the input must be [T,N,D]")
        .hasMessageContaining("got [2,3]")
        .hasMessageContaining("unsqueeze");
    wrong(() -> elman.run(random(1, 4, 2, D + 1)))
        .hasMessageContaining(
            "recurrent Elman: the input [4,2,4] has 4 features, the cell reads 3");
    wrong(() -> elman.run(x.cast(DType.F32))).hasMessageContaining("cast");
  }

  @Test
  void lengths() {
    wrong(() -> lstm.run(x, List.of(), Tensor.of(1.0, 2.0)))
        .hasMessageContaining(
            "recurrent Lstm: lengths must be I32 [2], one per row of [4,2,3], got F64 [2]");
    wrong(() -> lstm.run(x, List.of(), Tensor.of(1, 2, 3))).hasMessageContaining("got I32 [3]");
    Wrong.index(
        () -> lstm.run(x, List.of(), Tensor.of(1, 5)).y(),
        5,
        "recurrent Lstm: length 5 of row 1 is not within the 4 steps of [4,2,3]");
    Wrong.index(() -> lstm.run(x, List.of(), Tensor.of(-1, 2)).y(), -1, "length -1 of row 0");
  }

  @Test
  void initialStates() {
    Tensor h = random(1, 2, H);
    wrong(() -> lstm.run(x, List.of(new HiddenState(h)), null))
        .hasMessageContaining(
            "recurrent Lstm: one initial state of type LstmState is wanted, got [HiddenState]");
    wrong(() -> elman.run(x, List.of(new HiddenState(h), new HiddenState(h)), null))
        .hasMessageContaining("got [HiddenState, HiddenState]");
    wrong(() -> lstm.run(x, List.of(new LstmState(h, random(1, 3, H))), null))
        .hasMessageContaining(
            "recurrent Lstm: c of the initial state must be F64 [2,2] for the input [4,2,3],"
                + " got F64 [3,2]");
  }

  @Test
  void initialStatesOfAnotherType() {
    Tensor h = random(1, 2, H);
    wrong(() -> elman.run(x, List.of(new HiddenState(h.cast(DType.F32))), null))
        .hasMessageContaining("must be F64 [2,2]")
        .hasMessageContaining("got F32 [2,2]");
  }

  @Test
  void learnedStartsOfAnotherCell() {
    var start = elman.withLearnedStart().start();
    wrong(() -> new Recurrent<>(cell("lstm"), Recurrent.Direction.FORWARD, start).run(x))
        .hasMessageContaining("recurrent Lstm: 1 learned tensors for a state of 2");
  }

  @Test
  void bidirectional() {
    wrong(() -> new Bidirectional(elman, lstm))
        .hasMessageContaining(
            "bidirectional: wants a forward and a reverse layer, got FORWARD and FORWARD");
    var reverse = Recurrent.reverse(cell("lstm"));
    wrong(() -> new Bidirectional(reverse, reverse)).hasMessageContaining("REVERSE and REVERSE");
    wrong(() -> Bidirectional.of(cell("elman"), cell("elman", D + 1, 1)))
        .hasMessageContaining(
            "bidirectional: the layers read 3 and 4 features; both see one input");
    var pair = Bidirectional.of(cell("elman"), cell("elman"));
    wrong(() -> pair.run(x, List.of(new HiddenState(random(1, 2, H))), null))
        .hasMessageContaining(
            "bidirectional: two initial states are wanted, forward and reverse, got 1");
  }

  @Test
  void stacks() {
    wrong(Stacked::of).hasMessageContaining("stack: wants at least one layer, got none");
    wrong(() -> Stacked.of(elman, elman))
        .hasMessageContaining("stack: layer 1 reads 3 features, layer 0 gives 2");
    var stack = Stacked.of(elman, Bidirectional.of(cell("gru", H, 1), cell("gru", H, 2)));
    var state = new HiddenState(random(1, 2, H));
    for (int given : new int[] {1, 2, 4}) {
      List<RecurrentState> states = new ArrayList<>();
      for (int i = 0; i < given; i++) {
        states.add(state);
      }
      wrong(() -> stack.run(x, states, null))
          .hasMessageContaining(
              "stack: "
                  + given
                  + " initial states for 3 cells; pass on what run(..).states() gave");
    }
    assertThat(stack.run(x, List.of(state, state, state), null).states()).hasSize(3);
  }

  @Test
  void namesOfCells() {
    wrong(() -> Cells.of("lstn", D, H, Init.zeros(), Philox.of(1)))
        .hasMessageContaining("cell: there is no 'lstn'; nearest of 12: lstm");
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.99, 0, -1, Double.NaN})
  void timeConstants(double tau) {
    wrong(() -> Leaky.of(tau, D, H, Init.zeros(), Philox.of(1)))
        .hasMessageContaining("leaky: the time constant must be at least 1 step, got " + tau);
  }

  /** Whichever weight does not fit, the cell says so, and which one it means. */
  @ParameterizedTest
  @MethodSource("carousel.nn.recurrent.Cells#names")
  void weightsThatDoNotFit(String name) throws ReflectiveOperationException {
    Cell<?> cell = cell(name);
    var components = cell.getClass().getRecordComponents();
    Class<?>[] types = Stream.of(components).map(c -> c.getType()).toArray(Class<?>[]::new);
    var constructor = cell.getClass().getDeclaredConstructor(types);
    int checked = 0;
    for (int i = 0; i < components.length; i++) {
      if (types[i] == Parameter.class) {
        Object[] arguments = new Object[components.length];
        for (int k = 0; k < components.length; k++) {
          arguments[k] = components[k].getAccessor().invoke(cell);
        }
        arguments[i] = Parameter.of(Tensor.zeros(97));
        // The hidden size is that of the first weight read; if that one is wrong, others do not
        // fit.
        boolean sizes = components[i].getName().equals("wo");
        assertThatThrownBy(() -> constructor.newInstance(arguments))
            .isInstanceOf(InvocationTargetException.class)
            .cause()
            .isInstanceOf(TensorException.class)
            .hasMessageContaining((sizes ? "wx" : components[i].getName()) + " must have shape [")
            .hasMessageContaining("to fit the other weights, got ");
        checked++;
      }
    }
    assertThat(checked).isGreaterThanOrEqualTo(3);
  }

  @Test
  void dropoutIsBetweenLayersNotAboveTheTop() {
    var dropped = new Stacked(List.of(elman, Recurrent.of(cell("gru", H, 1))), new Dropout(1));
    var plain = Stacked.of(elman, Recurrent.of(cell("gru", H, 1)));
    assertThat(dropped.apply(x).sameValues(plain.apply(x))).isTrue();
    Tensor y = Training.with(Philox.of(1), () -> dropped.apply(x));
    Tensor nothing = Recurrent.of(cell("gru", H, 1)).apply(Tensor.zeros(DType.F64, 4, 2, H));
    assertThat(y.sameValues(nothing)).isTrue();
    assertThat(y.abs().min().item()).isPositive();
  }

  // ---- states ----

  private static final class NoRecord implements RecurrentState {}

  private record Counted(Tensor h, int steps) implements RecurrentState {}

  private record Refusing(Tensor h) implements RecurrentState {
    Refusing {
      if (h.rank() != 2) {
        throw new IllegalArgumentException("rank");
      }
    }

    @Override
    @SuppressWarnings("UnusedMethod") // It is called by reflection.
    public Tensor h() {
      if (h.dim(0) == 7) {
        throw new IllegalStateException("seven");
      }
      return h;
    }
  }

  @Test
  void statesAreRecordsOfTensors() {
    wrong(() -> new NoRecord().tensors())
        .hasMessageContaining("NoRecord is no record; make it a record of tensors");
    wrong(() -> new Counted(random(1, 2, 2), 3).tensors())
        .hasMessageContaining("component steps of ")
        .hasMessageContaining("is a int; a state holds tensors only");
    var refusing = new Refusing(random(1, 2, 2));
    wrong(() -> RecurrentState.map(refusing, h -> h.select(0, 0)))
        .hasMessageContaining("making ")
        .hasRootCauseInstanceOf(IllegalArgumentException.class);
    wrong(() -> new Refusing(random(1, 7, 2)).tensors())
        .hasMessageContaining("reading ")
        .hasRootCauseInstanceOf(IllegalStateException.class);
    wrong(() -> RecurrentState.with(refusing, List.of())).hasMessageContaining("making ");
  }

  @Test
  void statesOfOneTypeAreZippedAndMapped() {
    var a = new LstmState(Tensor.of(1.0), Tensor.of(2.0));
    var b = new LstmState(Tensor.of(10.0), Tensor.of(20.0));
    var sum = RecurrentState.zip(a, b, Tensor::add);
    assertThat(sum.h().item()).isEqualTo(11);
    assertThat(sum.c().item()).isEqualTo(22);
    assertThat(RecurrentState.map(a, Tensor::neg).c().item()).isEqualTo(-2);
    assertThat(a.tensors()).containsExactly(a.h(), a.c());
  }
}
