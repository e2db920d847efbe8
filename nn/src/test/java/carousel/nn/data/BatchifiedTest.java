package carousel.nn.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.DType;
import carousel.tensor.Engine;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.ArrayList;
import java.util.NoSuchElementException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BatchifiedTest {
  private TensorScope scope;

  @BeforeEach
  void open() {
    scope = TensorScope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private static TokenStream alphabet(int length) {
    return TokenStream.of("alphabet", IntStream.range(0, length).toArray());
  }

  /** The picture in PyTorch's example: 26 letters, batch 4, the last two letters left out. */
  @Test
  void columnsAreConsecutiveParts() {
    var data = alphabet(26).batchify(4);
    assertThat(data.data().dtype()).isEqualTo(DType.I32);
    assertThat(data.data().shape()).isEqualTo(Shape.of(6, 4));
    assertThat(data.data().toIntArray())
        .containsExactly(
            0, 6, 12, 18, 1, 7, 13, 19, 2, 8, 14, 20, 3, 9, 15, 21, 4, 10, 16, 22, 5, 11, 17, 23);
    // get_batch(source, 0) with bptt 2: rows 0, 1 and, as targets, rows 1, 2.
    var window = data.window(0, 2);
    assertThat(window.tokens().toIntArray()).containsExactly(0, 6, 12, 18, 1, 7, 13, 19);
    assertThat(window.targets().toIntArray()).containsExactly(1, 7, 13, 19, 2, 8, 14, 20);
  }

  @ParameterizedTest
  @CsvSource({"26,4,2", "26,4,5", "26,4,4", "27,1,7", "100,10,9", "101,10,100", "4,2,1", "57,3,1"})
  void windowsCoverEveryTargetOnce(int length, int batch, int steps) {
    var data = alphabet(length).batchify(batch);
    int rows = length / batch;
    int expectedRow = 0;
    var windows = new ArrayList<TokenBatch>();
    data.windows(steps).forEach(windows::add);
    assertThat(windows).hasSize(data.windowCount(steps));
    assertThat(windows.subList(0, windows.size() - 1)).allMatch(w -> w.steps() == steps);
    for (var window : windows) {
      assertThat(window.batch()).isEqualTo(batch);
      assertThat(window.steps()).isBetween(1, steps);
      assertThat(window.size()).isEqualTo((long) window.steps() * batch);
      assertThat(window.targets().shape()).isEqualTo(window.tokens().shape());
      for (int t = 0; t < window.steps(); t++) {
        for (int n = 0; n < batch; n++) {
          assertThat(window.tokens().get(t, n)).isEqualTo(n * rows + expectedRow + t);
          assertThat(window.targets().get(t, n)).isEqualTo(n * rows + expectedRow + t + 1);
        }
      }
      expectedRow += window.steps();
    }
    assertThat(expectedRow).isEqualTo(rows - 1);
  }

  @Test
  void windowsMayBeReadAgainAndEndOnce() {
    var windows = alphabet(20).batchify(2).windows(4);
    assertThat(windows).hasSize(3);
    var iterator = windows.iterator();
    for (int i = 0; i < 3; i++) {
      iterator.next();
    }
    assertThatThrownBy(iterator::next).isInstanceOf(NoSuchElementException.class);
  }

  @Test
  void windowsAreViewsAndOutliveInnerScopes() {
    var data = alphabet(40).batchify(4);
    TokenBatch window;
    long before = scope.bytes();
    try (var step = TensorScope.open()) {
      window = data.window(3, 5);
      assertThat(step.bytes()).isZero();
    }
    assertThat(scope.bytes()).isEqualTo(before);
    assertThat(Engine.storage(window.tokens())).isSameAs(Engine.storage(data.data()));
    assertThat(window.tokens().get(0, 1)).isEqualTo(13);
  }

  @Test
  void saysHowManyTokensAreNeededAndWhatFits() {
    var stream = alphabet(100);
    assertThat(stream.batchify(20, 4).rows()).isEqualTo(5);
    assertThatThrownBy(() -> stream.batchify(20, 35))
        .isInstanceOf(CorpusException.class)
        .hasMessage(
            "alphabet: the text is too short for batch 20 × steps 35: 720 tokens are needed, there"
                + " are 100; lower batch to 2 or less, lower steps to 4 or less, or take a longer"
                + " text");
    assertThat(stream.batchify(2, 35).windowCount(35)).isEqualTo(2);
    assertThatThrownBy(() -> stream.batchify(51))
        .hasMessage(
            "alphabet: the text is too short for batch 51: 102 tokens are needed, there are 100;"
                + " lower batch to 50 or less, or take a longer text");
    assertThatThrownBy(() -> stream.batchify(60, 120))
        .hasMessageEndingWith("there are 100; lower both, or take a longer text");
    assertThatThrownBy(() -> stream.batchify(Integer.MAX_VALUE, Integer.MAX_VALUE))
        .isInstanceOf(CorpusException.class);
  }

  @Test
  void refusesSizesThatMakeNoSense() {
    var stream = alphabet(100);
    assertThatThrownBy(() -> stream.batchify(0)).hasMessageContaining("batch 0");
    assertThatThrownBy(() -> stream.batchify(1, -1)).hasMessageContaining("steps -1");
    var data = stream.batchify(10);
    assertThatThrownBy(() -> data.windows(0)).hasMessage("windows: steps must be 1 or more, got 0");
    assertThatThrownBy(() -> data.window(9, 1))
        .isInstanceOf(IndexOutOfBoundsException.class)
        .hasMessage("window: row 9; it must be from 0 to 8 so that a token follows");
    assertThatThrownBy(() -> data.window(-1, 1)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void theCopyOfTheIdsIsACopy() {
    var stream = alphabet(3);
    stream.toArray()[0] = 9;
    assertThat(stream.id(0)).isZero();
    assertThat(stream).isEqualTo(alphabet(3)).hasSameHashCodeAs(alphabet(3));
    assertThat(stream).isNotEqualTo(alphabet(4)).hasToString("TokenStream[alphabet, 3 tokens]");
    assertThat(Tensor.of(stream.toArray()).toIntArray()).containsExactly(0, 1, 2);
  }
}
