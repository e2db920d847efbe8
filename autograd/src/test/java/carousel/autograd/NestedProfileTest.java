package carousel.autograd;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Op;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a profile measures where there are other profiles, and other threads. */
class NestedProfileTest {
  private TensorScope test;
  private Tensor x;

  @BeforeEach
  void open() {
    test = TensorScope.open();
    x = Philox.of(1).normal(DType.F64, 0, 1, 2, 3);
  }

  @AfterEach
  void close() {
    test.close();
  }

  private static long calls(Profile<?> profile, String op, String gradientOf) {
    return profile.rows().stream()
        .filter(r -> r.op().equals(op) && r.gradientOf().equals(gradientOf))
        .mapToLong(Profile.Row::calls)
        .sum();
  }

  private static double seconds(Profile<?> profile, String op) {
    return profile.rows().stream()
        .filter(r -> r.op().equals(op))
        .mapToDouble(Profile.Row::seconds)
        .sum();
  }

  @Test
  void opsOfAnInnerProfileAreRowsOfBoth() {
    Supplier<Gradients> step = () -> Grad.of(() -> x.tanh().square().sum(), x);
    var outer =
        Profile.of(() -> {
          Tensor before = x.exp();
          var inner = Profile.of(step);
          assertThat(before.add(x).rank()).isEqualTo(2);
          return inner;
        });
    var inner = outer.value();
    assertThat(calls(inner, "exp", "")).isZero();
    assertThat(calls(inner, "tanh", "")).isEqualTo(1);
    assertThat(calls(inner, "mul", "tanh")).isPositive();
    assertThat(calls(outer, "exp", "")).isEqualTo(1);
    assertThat(calls(outer, "add", "")).isEqualTo(1);
    assertThat(calls(outer, "tanh", "")).isEqualTo(1);
    assertThat(calls(outer, "mul", "tanh")).isEqualTo(calls(inner, "mul", "tanh"));
  }

  /** Many ops in one: were an inner watch's cost, or an outer one's, in the op's own time, it would be most of it. */
  @Test
  void whatWatchingCostsIsInNoRowOfEither() {
    var many =
        Composite.of(
            "many",
            in -> {
              Tensor y = in.cumsum(1); // which is in no kernel, so that there is none
              for (int i = 0; i < 2000; i++) {
                y = y.neg();
              }
              return y;
            });
    Supplier<Tensor> code = () -> Op.apply(many, x);
    Supplier<Profile<Profile<Tensor>>> nested = () -> Profile.of(() -> Profile.of(code));
    var own = new Least();
    var outer = new Least();
    var inner = new Least();
    for (int i = 0; i < 30; i++) {
      own.add(Profile.of(code));
      var both = nested.get();
      outer.add(both);
      inner.add(both.value());
      assertThat(calls(both, "neg", "")).isEqualTo(2000);
    }
    for (var least : List.of(outer, inner)) {
      assertThat(least.many).isLessThan(4 * own.many);
      assertThat(least.inside).isLessThan(4 * own.inside);
      assertThat(least.whole).isLessThan(4 * own.whole);
    }
  }

  /** The least times of many runs, which no other process made longer. */
  private static final class Least {
    private double many = Double.POSITIVE_INFINITY;
    private double inside = Double.POSITIVE_INFINITY;
    private double whole = Double.POSITIVE_INFINITY;

    void add(Profile<?> profile) {
      many = Math.min(many, seconds(profile, "many"));
      inside = Math.min(inside, seconds(profile, "neg"));
      whole = Math.min(whole, profile.seconds());
    }
  }

  @Test
  void otherThreadsAreNotMeasured() {
    var profile =
        Profile.of(() -> {
          var there =
              CompletableFuture.supplyAsync(() -> {
                try (var scope = TensorScope.open()) {
                  return Tensor.of(1.0).exp().item();
                }
              });
          return x.tanh().sum().item() + there.join();
        });
    assertThat(calls(profile, "tanh", "")).isEqualTo(1);
    assertThat(calls(profile, "exp", "")).isZero();
  }

  @Test
  void anOpThatTwoProfilesSeeIsOneEvent(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("ops.jfr");
    try (var recording = new Recording()) {
      recording.enable("carousel.Op").withThreshold(Duration.ZERO);
      recording.start();
      var unused = Profile.of(() -> Profile.of(() -> x.tanh()));
      recording.stop();
      recording.dump(file);
    }
    assertThat(RecordingFile.readAllEvents(file))
        .filteredOn(e -> e.getString("op").equals("tanh"))
        .hasSize(1);
  }
}
