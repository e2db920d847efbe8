package carousel.nn.io;

import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.autograd.Grad;
import carousel.nn.Layer;
import carousel.nn.Training;
import carousel.nn.init.Init;
import carousel.nn.layer.Dropout;
import carousel.nn.layer.Linear;
import carousel.nn.optim.Adam;
import carousel.nn.optim.Optimizer;
import carousel.nn.optim.Sgd;
import carousel.nn.recurrent.CarriedState;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.Recurrent;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A training loop of one's own: stopped anywhere and restored in one line, it ends with the same bits. */
class PartsTest {
  @TempDir Path folder;
  private TensorScope run;

  @BeforeEach
  void open() {
    run = TensorScope.open();
  }

  @AfterEach
  void close() {
    run.close();
  }

  private record Model(Recurrent<?> lstm, Linear head, Dropout dropout) implements Layer {}

  /** A training with everything there is to remember. */
  private static final class Loop {
    final Model model;
    final Optimizer optimizer;
    final CarriedState carried = new CarriedState();
    final Tensor mean = Tensor.zeros(F64);
    final Philox noise = Philox.of(99);
    double best = Double.POSITIVE_INFINITY;

    Loop(long seed, int hidden) {
      var init = Init.normal(0.5).as(F64);
      var rng = Philox.of(seed);
      model =
          new Model(
              Recurrent.of(Lstm.of(3, hidden, init, rng)),
              Linear.of(hidden, 2, init, rng),
              new Dropout(0.3));
      optimizer = Adam.of(model.parameters(), 0.05);
    }

    Parts parts() {
      return new Parts()
          .with("model", model.parameters())
          .with("optimizer", optimizer)
          .with("mean", mean)
          .with("noise", noise)
          .withText("best", () -> Double.toString(best), text -> best = Double.parseDouble(text))
          .withTensors("carried", carried::tensors, saved -> carried.restore(like(), saved));
    }

    private List<carousel.nn.recurrent.RecurrentState> like() {
      return model.lstm().run(Tensor.zeros(F64, 1, 2, 3)).states();
    }

    void step(long number) {
      try (var step = TensorScope.open()) {
        Tensor x = Philox.of(1000 + number).normal(F64, 0, 1, 4, 2, 3);
        var g =
            Grad.of(
                () ->
                    Training.with(
                        noise,
                        () -> {
                          var read = model.lstm().run(model.dropout().apply(x), carried.now());
                          carried.endWith(read.states());
                          return model.head().apply(read.y()).square().mean();
                        }),
                model.parameters());
        optimizer.step(g.clipNorm(1));
        best = Math.min(best, g.value().item());
        mean.assign(mean.mul(0.9).add(g.value().mul(0.1)));
        carried.advance();
      }
    }

    List<Tensor> all() {
      var all = new ArrayList<>(model.parameters().tensors());
      all.addAll(carried.tensors().values());
      all.add(mean);
      all.add(Tensor.of(best, (double) noise.counter(), optimizer.steps()));
      return all;
    }
  }

  @Test
  void aLoopThatIsKilledAnywhereEndsWithTheSameBits() throws IOException {
    var whole = new Loop(1, 4);
    for (int k = 0; k < 6; k++) {
      whole.step(k);
    }
    for (int from = 0; from <= 6; from++) {
      var place = folder.resolve("run" + from);
      var first = new Loop(1, 4);
      var parts = first.parts();
      var checkpoints = new Checkpoints(place, 2);
      long start = checkpoints.restore(parts, line -> {});
      assertThat(start).isZero();
      for (long k = start; k < from; k++) {
        first.step(k);
        checkpoints.save(k + 1, parts);
      }
      var second = new Loop(2, 4); // other weights, which are overwritten
      long went = new Checkpoints(place, 2).restore(second.parts(), line -> {});
      assertThat(went).isEqualTo(from);
      if (from == 0) {
        continue;
      }
      for (long k = went; k < 6; k++) {
        second.step(k);
      }
      for (int i = 0; i < whole.all().size(); i++) {
        assertThat(second.all().get(i).sameValues(whole.all().get(i)))
            .as("%d from %d", i, from)
            .isTrue();
      }
    }
  }

  private void refused(Loop loop, Parts parts, String... messages) {
    var before = loop.all().stream().map(Tensor::copy).toList();
    var failing =
        assertThatThrownBy(() -> new Checkpoints(folder, 2).restore(parts, line -> {}))
            .isInstanceOf(SafetensorsException.class)
            .hasMessageContaining("this is no checkpoint of this training");
    for (var message : messages) {
      failing.hasMessageContaining(message);
    }
    for (int i = 0; i < before.size(); i++) {
      assertThat(loop.all().get(i).sameValues(before.get(i))).as("%d is as it was", i).isTrue();
    }
  }

  @Test
  void thatOfAnotherTrainingChangesNothing() throws IOException {
    var one = new Loop(1, 4);
    one.step(0);
    new Checkpoints(folder, 2).save(1, one.parts());

    var wider = new Loop(1, 5);
    refused(
        wider,
        wider.parts(),
        "model: ",
        "\"lstm.cell.wx\" is F64 [3,16] in the file, F64 [3,20] in the model",
        "and ");
    var other = new Loop(2, 4);
    refused(
        other,
        new Parts()
            .with("model", other.model.parameters())
            .withTensors("carried", Map::of, t -> {}),
        "it has [best, mean, noise, optimizer], which this training has not");
    refused(
        other,
        other.parts().with("ema", Tensor.zeros(3)).withText("epoch", () -> "1", text -> {}),
        "it has no [ema, epoch]");
    refused(
        other,
        new Parts()
            .with("model", other.model.parameters())
            .with("optimizer", Sgd.rule().withMomentum(0.9).over(other.model.parameters(), 1))
            .with("mean", other.mean)
            .withRandom("noise", () -> other.noise, at -> {})
            .withText("best", () -> "", text -> {})
            .withTensors("carried", Map::of, t -> {}),
        "optimizer: \"lstm.cell.wx.momentum\", F64 [3,16], is missing");
    refused(
        other,
        new Parts()
            .with("model", other.model.parameters())
            .with("optimizer", other.optimizer)
            .with("mean", other.mean)
            .withText("noise", () -> "", text -> {})
            .withRandom("best", () -> other.noise, at -> {})
            .withTensors("carried", Map::of, t -> {}),
        "'best': this is no generator: '");
    assertThat(new Checkpoints(folder, 2).restore(other.parts(), line -> {})).isEqualTo(1);
  }

  /** In place: who draws from the generator goes on where the other one stood. */
  @Test
  void generatorsAreMovedOrMadeAnew() throws IOException {
    var mine = Philox.of(3).split(1);
    var holder = new Philox[] {Philox.of(5)};
    var parts =
        new Parts().with("mine", mine).withRandom("other", () -> holder[0], at -> holder[0] = at);
    mine.uniform(F64, 0, 1, 33);
    holder[0].uniform(F64, 0, 1, 5);
    new Checkpoints(folder, 2).save(1, parts);
    Tensor expected = mine.uniform(F64, 0, 1, 9);
    Tensor expectedOther = holder[0].uniform(F64, 0, 1, 9);
    holder[0] = Philox.of(77);
    new Checkpoints(folder, 2).restore(parts, line -> {});
    assertThat(mine.uniform(F64, 0, 1, 9).sameValues(expected)).isTrue();
    assertThat(holder[0].uniform(F64, 0, 1, 9).sameValues(expectedOther)).isTrue();

    Tensor changed = Tensor.of(2.0);
    var another = Philox.of(4);
    var wrong =
        new Parts()
            .withRandom("other", () -> holder[0], at -> changed.fill(3))
            .with("mine", another);
    assertThatThrownBy(() -> new Checkpoints(folder, 2).restore(wrong, line -> {}))
        .isInstanceOf(SafetensorsException.class)
        .hasMessageContaining(
            "'mine': the generator has seed "
                + mine.seed()
                + ", this training's has 4; make it of that seed, or save it by withRandom");
    assertThat(changed.item()).as("nothing is changed before all is compared").isEqualTo(2);
    assertThat(another.counter()).isZero();
    var none =
        new Parts().withText("mine", () -> "x", _ -> {}).withText("other", () -> "", _ -> {});
    new Checkpoints(folder.resolve("none"), 1).save(1, none);
    assertThatThrownBy(() ->
            new Checkpoints(folder.resolve("none"), 1)
                .restore(
                    new Parts().with("mine", another).withText("other", () -> "", _ -> {}),
                    line -> {}))
        .hasMessageContaining("'mine': this is no generator: 'x'");
  }

  @Test
  void aTextMayBeEmptyAndNotNull() throws IOException {
    var read = new ArrayList<String>();
    var empty = new Parts().withText("note", () -> "", read::add);
    new Checkpoints(folder, 2).save(1, empty);
    new Checkpoints(folder, 2).restore(empty, line -> {});
    assertThat(read).containsExactly("");
    var holder = new String[1];
    var none = new Parts().withText("note", () -> holder[0], read::add);
    assertThatThrownBy(() -> new Checkpoints(folder.resolve("b"), 2).save(1, none))
        .isInstanceOf(NullPointerException.class)
        .hasMessage("parts: the text of 'note' is null; say that there is none by \"\"");
  }

  @Test
  void namesArePlain() {
    var parts = new Parts().with("a", Tensor.zeros(1));
    assertThatThrownBy(() -> parts.with("a", Tensor.zeros(1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("parts: there is a 'a' already");
    assertThatThrownBy(() -> parts.with("a.b", Tensor.zeros(1))).hasMessageContaining("has no '.'");
    assertThatThrownBy(() -> parts.with("", Tensor.zeros(1))).hasMessageContaining("is not empty");
  }

  @Test
  void savingLeavesNoTensorBehind() throws IOException {
    var loop = new Loop(1, 4);
    loop.step(0);
    var parts = loop.parts();
    long held = run.bytes();
    for (int k = 1; k <= 5; k++) {
      new Checkpoints(folder.resolve("" + k), 1).save(k, parts);
    }
    assertThat(run.bytes()).isEqualTo(held);
    var again = new Loop(2, 4).parts();
    assertThat(new Checkpoints(folder.resolve("5"), 1).restore(again, line -> {})).isEqualTo(5);
  }
}
