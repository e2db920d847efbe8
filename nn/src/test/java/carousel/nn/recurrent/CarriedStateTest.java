package carousel.nn.recurrent;

import static carousel.nn.recurrent.Layers.D;
import static carousel.nn.recurrent.Layers.H;
import static carousel.nn.recurrent.Layers.cell;
import static carousel.nn.recurrent.Layers.random;
import static carousel.tensor.DType.F64;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import carousel.autograd.Grad;
import carousel.nn.init.Init;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A text in windows is the text, and costs no more memory the longer it is. */
class CarriedStateTest {
  private TensorScope run;

  @BeforeEach
  void open() {
    run = TensorScope.open();
  }

  @AfterEach
  void close() {
    run.close();
  }

  private static Sequence layer() {
    return Stacked.of(Recurrent.of(cell("lstm")), Recurrent.of(cell("gru", H, 2)));
  }

  private static void pass(Sequence layer, CarriedState carried, Tensor x) {
    try (var step = TensorScope.open()) {
      carried.endWith(layer.run(x, carried.now()).states());
      carried.advance();
    }
  }

  /** What it is given may be anybody's: a state that is learned, say. */
  @Test
  void nothingOfOthersIsOverwritten() {
    Sequence layer = layer();
    Tensor x = random(1, 2, 2, D);
    List<RecurrentState> given = layer.run(x).states();
    List<double[]> before = Layers.tensors(given).stream().map(Tensor::toDoubleArray).toList();
    var carried = new CarriedState();
    carried.endWith(given);
    carried.advance();
    pass(layer, carried, x);
    pass(layer, carried, x);
    assertThat(Layers.tensors(given).stream().map(Tensor::toDoubleArray))
        .containsExactlyElementsOf(before);
  }

  @Test
  void windowsAreTheWhole() {
    var layer = layer();
    Tensor x = random(1, 6, 2, D);
    var carried = new CarriedState();
    assertThat(carried.now()).isEmpty();
    assertThat(carried.tensors()).isEmpty();
    for (int t = 0; t < 6; t += 2) {
      pass(layer, carried, x.narrow(0, t, 2));
    }
    List<Tensor> whole = Layers.tensors(layer.run(x).states());
    List<Tensor> ended = Layers.tensors(carried.now());
    assertThat(ended).hasSize(3);
    for (int k = 0; k < 3; k++) {
      assertThat(ended.get(k).sub(whole.get(k)).abs().max().item()).isLessThan(1e-14);
    }
    assertThat(carried.tensors().keySet()).containsExactly("0.0", "0.1", "1.0");
  }

  @Test
  void noGradientFlowsThroughIt() {
    var layer = Recurrent.of(cell("lstm"));
    Tensor wx = layer.parameters().get("cell.wx").value();
    Tensor x = random(1, 2, 2, D);
    var carried = new CarriedState();
    pass(layer, carried, x);
    List<RecurrentState> fixed =
        carried.now().stream().map(s -> RecurrentState.map(s, t -> t.detach().copy())).toList();
    var g = Grad.of(() -> layer.run(x, carried.now()).y().sum(), wx);
    var expected = Grad.of(() -> layer.run(x, fixed).y().sum(), wx);
    assertThat(g.get(0).sameValues(expected.get(0))).isTrue();
  }

  /** Neither off-heap memory nor entries of the outer scope nor the heap grow over 100,000 windows. */
  @Test
  void memoryIsFlatHoweverLongTheText() {
    var carried = new CarriedState();
    Tensor h = random(1, 2, H);
    Tensor c = random(2, 2, H);
    long after = 0;
    long heap = 0;
    for (int window = 0; window < 100_000; window++) {
      try (var step = TensorScope.open()) {
        carried.endWith(List.of(new LstmState(h.add(window), c.mul(2))));
        carried.advance();
      }
      if (window == 0) {
        after = run.bytes();
      }
      if (window == 20_000) {
        heap = used();
      }
    }
    assertThat(run.bytes()).isEqualTo(after);
    assertThat(carried.now().getFirst().tensors().getFirst().sub(h).min().item())
        .isCloseTo(99_999, within(1e-9));
    // A list of what a scope owns would grow by 80,000 entries of two tensors.
    assertThat(used() - heap).isLessThan(80_000L * 64);
  }

  private static long used() {
    System.gc();
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }

  @Test
  void textsOfOtherBatchesShareItsMemory() {
    var layer = layer();
    var carried = new CarriedState();
    List<Tensor> x = List.of(random(1, 2, 2, D), random(1, 2, 3, D));
    long most = 0;
    for (int text = 0; text < 6; text++) {
      carried.reset();
      assertThat(carried.now()).isEmpty();
      int rows = 2 + text % 2;
      pass(layer, carried, x.get(text % 2));
      assertThat(Layers.tensors(carried.now()).getFirst().dim(0)).isEqualTo(rows);
      if (text == 1) {
        most = run.bytes();
      }
    }
    assertThat(run.bytes()).isEqualTo(most);
  }

  /** A window ends with states of the model that it began with; other rows are another matter. */
  @Test
  void statesOfAnotherModelAreRefused() {
    var lstm = Recurrent.of(cell("lstm"));
    var carried = new CarriedState();
    pass(lstm, carried, random(1, 2, 2, D));
    var wider =
        Recurrent.of(Lstm.of(D, H + 1, Init.zeros().as(F64), Philox.of(1)))
            .run(random(1, 2, 2, D))
            .states();
    assertThatThrownBy(() -> carried.endWith(wider))
        .isInstanceOf(TensorException.class)
        .hasMessage(
            "carried state: the window began with [LstmState[F64 [2,2], F64 [2,2]]] and ends with"
                + " [LstmState[F64 [2,3], F64 [2,3]]], which are states of different models; reset() where another one"
                + " begins");
    var floats =
        Recurrent.of(Lstm.of(D, H, Init.zeros(), Philox.of(1))).run(Tensor.zeros(2, 2, D)).states();
    assertThatThrownBy(() -> carried.endWith(floats)).hasMessageContaining("F32 [2,2]");
    var gru = Recurrent.of(cell("gru")).run(random(1, 2, 2, D)).states();
    assertThatThrownBy(() -> carried.endWith(gru)).hasMessageContaining("[HiddenState[F64 [2,2]]]");
    var two = layer().run(random(1, 2, 2, D)).states();
    assertThatThrownBy(() -> carried.endWith(two))
        .hasMessageContaining("LstmState[F64 [2,2], F64 [2,2]], HiddenState[F64 [2,2]]");
    carried.endWith(lstm.run(random(1, 2, 5, D)).states());
    carried.advance();
    assertThat(Layers.tensors(carried.now()).getFirst().dim(0)).isEqualTo(5);
    carried.reset();
    carried.endWith(gru);
    carried.advance();
    assertThat(carried.now()).hasSize(1);
  }

  @Test
  void finalStatesAreKeptByOneCall() {
    var layer = layer();
    Tensor x = random(1, 6, 2, D);
    List<RecurrentState> states = List.of();
    for (int t = 0; t < 6; t += 2) {
      try (var step = TensorScope.open()) {
        var read = layer.run(x.narrow(0, t, 2), states);
        states = read.keepStates(step);
        assertThat(states).isSameAs(read.states());
      }
    }
    List<Tensor> whole = Layers.tensors(layer.run(x).states());
    List<Tensor> ended = Layers.tensors(states);
    assertThat(ended).hasSize(3);
    for (int k = 0; k < 3; k++) {
      assertThat(ended.get(k).sub(whole.get(k)).abs().max().item()).isLessThan(1e-14);
    }
    assertThatThrownBy(() -> layer.run(x).keepStates(run))
        .hasMessageContaining("no enclosing scope");
  }

  @Test
  void isRestored() {
    var layer = layer();
    Tensor x = random(1, 4, 2, D);
    var carried = new CarriedState();
    pass(layer, carried, x.narrow(0, 0, 2));
    var saved = new LinkedHashMap<>(carried.tensors());
    saved.replaceAll((name, tensor) -> tensor.copy());
    var like = layer.run(Tensor.zeros(F64, 1, 2, D)).states();
    var again = new CarriedState();
    again.restore(like, saved);
    pass(layer, carried, x.narrow(0, 2, 2));
    pass(layer, again, x.narrow(0, 2, 2));
    carried
        .tensors()
        .forEach((name, tensor) ->
            assertThat(tensor.sameValues(requireNonNull(again.tensors().get(name))))
                .as(name)
                .isTrue());
    again.restore(like, new HashMap<>());
    assertThat(again.now()).isEmpty();

    var missing = new HashMap<>(saved);
    missing.remove("1.0");
    assertThatThrownBy(() -> again.restore(like, missing))
        .isInstanceOf(TensorException.class)
        .hasMessage("carried state: '1.0' must be F64 [2,2], got none");
    var wrong = new HashMap<>(saved);
    wrong.put("0.1", Tensor.zeros(F64, 3, H));
    assertThatThrownBy(() -> again.restore(like, wrong))
        .hasMessage("carried state: '0.1' must be F64 [2,2], got F64 [3,2]");
    var more = new HashMap<>(saved);
    more.put("2.0", Tensor.zeros(F64, 2, H));
    assertThatThrownBy(() -> again.restore(like, more))
        .hasMessage("carried state: there is a '2.0', which no cell has");
  }
}
