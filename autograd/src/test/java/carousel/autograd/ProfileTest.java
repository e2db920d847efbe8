package carousel.autograd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

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
import java.util.function.Supplier;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProfileTest {
  private TensorScope test;
  private Tensor x;
  private Tensor w;

  @BeforeEach
  void open() {
    test = TensorScope.open();
    x = Philox.of(1).normal(DType.F64, 0, 1, 2, 3);
    w = Philox.of(2).normal(DType.F64, 0, 1, 3, 3);
  }

  @AfterEach
  void close() {
    test.close();
  }

  private Tensor loss() {
    Tensor h = x;
    for (int t = 0; t < 4; t++) {
      h = h.matmul(w).tanh();
    }
    return h.square().sum();
  }

  private static List<Profile.Row> rows(Profile<?> profile, String op, String gradientOf) {
    return profile.rows().stream()
        .filter(r -> r.op().equals(op) && r.gradientOf().equals(gradientOf))
        .toList();
  }

  @Test
  void countsByOpShapesAndPlace() {
    var profile = Profile.of(() -> Grad.of(this::loss, x, w));
    var products = rows(profile, "matmul", "");
    assertThat(products).hasSize(1);
    assertThat(products.getFirst().calls()).isEqualTo(4);
    assertThat(products.getFirst().shapes()).isEqualTo("[2,3] [3,3]");
    // dh = g·wᵀ and dw = hᵀ·g, of each of the four.
    assertThat(rows(profile, "matmul", "matmul").stream().mapToLong(Profile.Row::calls).sum())
        .isEqualTo(8);
    assertThat(rows(profile, "mul", "tanh")).isNotEmpty();
    assertThat(profile.toString()).contains("matmul [2,3] [3,3]", " in the gradient of tanh [2,3]");
    assertThat(profile.by(Profile.Row::op)).containsKeys("matmul", "tanh");
  }

  @Test
  void changesNoBit() {
    Gradients plain = Grad.of(this::loss, x, w);
    Gradients watched = Profile.of(() -> Grad.of(this::loss, x, w)).value();
    assertThat(watched.value().sameValues(plain.value())).isTrue();
    assertThat(watched.get(0).sameValues(plain.get(0))).isTrue();
    assertThat(watched.get(1).sameValues(plain.get(1))).isTrue();
  }

  /** What is inside of an op is counted once; all parts together are the whole. */
  @Test
  void timesAreAnOpsOwn() {
    var slow =
        Composite.of(
            "slow",
            in -> {
              Tensor y = in.tanh();
              long until = System.nanoTime() + 20_000_000;
              while (System.nanoTime() < until) {
                Thread.onSpinWait();
              }
              return Op.apply(Composite.of("inner", ProfileTest::spinning), y);
            });
    Supplier<Tensor> code = () -> Op.apply(slow, x);
    var profile = Profile.of(code);
    double own = rows(profile, "slow", "").getFirst().seconds();
    double inner = rows(profile, "inner", "").getFirst().seconds();
    assertThat(own).isBetween(0.02, profile.seconds() - inner);
    assertThat(inner).isGreaterThanOrEqualTo(0.01);
    assertThat(rows(profile, "tanh", "")).hasSize(1);
    double all = profile.rows().stream().mapToDouble(Profile.Row::seconds).sum();
    assertThat(all + profile.elsewhere()).isCloseTo(profile.seconds(), within(1e-6));
    assertThat(profile.elsewhere()).isLessThan(profile.seconds());
  }

  private static Tensor spinning(Tensor x) {
    long until = System.nanoTime() + 10_000_000;
    while (System.nanoTime() < until) {
      Thread.onSpinWait();
    }
    return x.sigmoid();
  }

  @Test
  void eachIsAnEventOfTheFlightRecorder(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("ops.jfr");
    Profile<?> profile;
    try (var recording = new Recording()) {
      recording.enable("carousel.Op").withThreshold(Duration.ZERO);
      recording.start();
      profile = Profile.of(() -> Grad.of(this::loss, x, w));
      recording.stop();
      recording.dump(file);
    }
    var row = rows(profile, "matmul", "").getFirst();
    assertThat(row.place()).matches("\\w+\\.java:\\d+");
    var events = RecordingFile.readAllEvents(file);
    assertThat(events)
        .filteredOn(e -> e.getString("op").equals("matmul") && e.getString("gradientOf").isEmpty())
        .hasSize(4)
        .allSatisfy(e -> assertThat(e.getString("shapes")).isEqualTo("[2,3] [3,3]"))
        .allSatisfy(e -> assertThat(e.getString("place")).isEqualTo(row.place()))
        .allSatisfy(e -> assertThat(e.getString("through")).isEqualTo(row.through()));
  }

  @Test
  void whatFailsIsThrown() {
    assertThatThrownBy(() -> Profile.of(() -> x.matmul(x))).hasMessageContaining("matmul");
    assertThat(Profile.of(() -> 7).value()).isEqualTo(7);
  }
}
