package carousel.zoo.language;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.nn.io.Checkpoint;
import carousel.nn.io.SafetensorsException;
import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.zoo.run.Failure;
import carousel.zoo.run.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Checkpoints whose checksum is right and whose contents are not: what is wrong is said before anything
 * is trained. Found by {@link TrainingStateFuzzTest}, and by what else those could hold.
 */
class TrainingStateTest {
  @TempDir Path folder;

  private final Map<String, Tensor> tensors = new HashMap<>();
  private final Map<String, String> metadata = new HashMap<>();
  private TensorScope scope;

  /** After one epoch and two windows of the next. */
  @BeforeEach
  void train() {
    scope = TensorScope.open();
    var state = TinyTraining.state();
    var first = state.pass();
    while (!first.ended()) {
      first.step();
    }
    state.ended(TinyTraining.gave(0));
    var second = state.pass();
    second.step();
    second.step();
    tensors.putAll(state.tensors());
    metadata.putAll(state.metadata());
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private static final long STEP = TinyTraining.WINDOWS + 2;

  private Checkpoint saved(long step) throws IOException {
    var checkpoints = new RunFolder(Files.createTempDirectory(folder, "run")).checkpoints(1);
    checkpoints.save(step, tensors, metadata);
    return checkpoints.newest(line -> assertThat(line).isNull()).orElseThrow();
  }

  private void refuses(String message) throws IOException {
    var checkpoint = saved(STEP);
    assertThatThrownBy(() -> TinyTraining.state().restore(checkpoint))
        .isInstanceOf(Failure.class)
        .hasMessageStartingWith(checkpoint.file() + ": ")
        .hasMessageContaining(message);
  }

  @Test
  void asItIsItGoesOn() throws IOException {
    var state = TinyTraining.state();
    assertThat(state.restore(saved(STEP))).isEmpty();
    assertThat(state.metadata()).isEqualTo(metadata);
    state.pass().step();
    assertThat(state.step()).isEqualTo(STEP + 1);
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '"',
      value = {
        "epoch, -1, 'epoch' cannot be -1",
        "epoch, 0, \"it is of epoch 1, and its history has 1 epochs\"",
        "windows, -2, 'windows' cannot be -2",
        "windows, 4, it is after 4 windows of a text of 3",
        "nats, NaN, 'nats' cannot be NaN",
        "tokens, 0, 'tokens' cannot be 0",
        "seconds, -1, 'seconds' cannot be -1",
        "seconds, Infinity, 'seconds' cannot be Infinity",
        "noise, -1, 'noise' cannot be -1",
        "noise, x, 'x' is no number for 'noise'",
      })
  void progressThatCannotBe(String name, String value, String message) throws IOException {
    metadata.put(name, value);
    refuses(message);
  }

  @Test
  void beforeAnyWindowThereAreNoTokensAndNothingIsCarried() throws IOException {
    metadata.put("windows", "0");
    refuses("'tokens' cannot be ");
    metadata.put("tokens", "0");
    refuses("it carries a state, and is before the first window of an epoch");
  }

  @Test
  void aHistoryOfOtherEpochs() throws IOException {
    String csv = Objects.requireNonNull(metadata.get("history"));
    metadata.put("history", csv.replace("\n1,", "\n2,"));
    refuses("line 2 is not epoch 1");
    metadata.put("history", csv.replace("\n1,", "\n1,1,"));
    refuses("is not a row of epoch,learning_rate");
    metadata.put("history", csv.lines().limit(1).toList().getFirst());
    tensors.keySet().removeIf(name -> name.startsWith("best."));
    refuses("it is of epoch 2, and its history has 0 epochs");
  }

  @Test
  void bestWeightsOfAnotherModel() throws IOException {
    tensors.put("best.head.bias", Tensor.ones(2));
    tensors.remove("best.head.weight");
    var checkpoint = saved(STEP);
    assertThatThrownBy(() -> TinyTraining.state().restore(checkpoint))
        .isInstanceOf(SafetensorsException.class)
        .hasMessageContaining("these are the weights of another model")
        .hasMessageContaining("\"head.bias\" is F32 [2] in the file, F32 [5] in the model")
        .hasMessageContaining("\"head.weight\", F32 [2,5], is missing");
  }

  @Test
  void whatTheOptimizerOfAnotherModelRemembers() throws IOException {
    tensors.remove("optimizer.head.bias.m");
    refuses("optimizer: this is no state of Adam");
  }

  @Test
  void aStateThatNoLayerCarries() throws IOException {
    for (var wrong :
        Map.of(
                "carried.0.1", Tensor.zeros(DType.F64, 2, 2),
                "carried.0.2", Tensor.zeros(2, 2))
            .entrySet()) {
      var before = new HashMap<>(tensors);
      tensors.put(wrong.getKey(), wrong.getValue());
      var state = TinyTraining.state();
      state.restore(saved(STEP));
      assertThatThrownBy(state::pass)
          .isInstanceOf(Failure.class)
          .hasMessageContaining("'" + wrong.getKey().substring("carried.".length()) + "'");
      tensors.putAll(before);
      tensors.keySet().retainAll(before.keySet());
    }
  }

  @Test
  void aCheckpointUnderAnothersName() throws IOException {
    var checkpoint = saved(STEP + 3);
    assertThatThrownBy(() -> TinyTraining.state().restore(checkpoint))
        .isInstanceOf(Failure.class)
        .hasMessageContaining("its name says step 8, it is of step 5");
  }
}
