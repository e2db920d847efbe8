package carousel.nn.io;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointsTest {
  @TempDir Path folder;
  private TensorScope scope;
  private final List<String> reports = new ArrayList<>();

  @BeforeEach
  void open() {
    scope = TensorScope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private static Map<String, Tensor> state(double value) {
    return Map.of(
        "model.w", Tensor.of(new float[] {1, 2, 3}).mul(value),
        "optimizer.w", Tensor.full(DType.F64, value));
  }

  private Path save(Checkpoints checkpoints, long step) throws IOException {
    checkpoints.save(
        step, state((double) step), Map.of("note", "\"sha256\":\"not this\"", "at", "" + step));
    return folder.resolve(String.format(Locale.ROOT, "checkpoint-%010d.safetensors", step));
  }

  /** The step of the newest sound one, as a process that has just started sees it; −1 for none. */
  private long newest() throws IOException {
    reports.clear();
    return new Checkpoints(folder, 2).newest(reports::add).map(Checkpoint::step).orElse(-1L);
  }

  @Test
  void whatIsSavedIsFoundByItsParts() throws Exception {
    assertThat(newest()).isEqualTo(-1);
    var file = save(new Checkpoints(folder, 2), 7);
    var found = new Checkpoints(folder, 2).newest(reports::add).orElseThrow();
    assertThat(reports).isEmpty();
    assertThat(found)
        .isEqualTo(new Checkpoint(file, 7, Map.of("note", "\"sha256\":\"not this\"", "at", "7")));
    assertThat(found.load("optimizer.")).containsOnlyKeys("w");
    Tensor w = Tensor.zeros(DType.F32, 3);
    found.loadInto("model.", Map.of("w", w));
    assertThat(w.toFloatArray()).containsExactly(7, 14, 21);
    assertThatThrownBy(() -> found.loadInto("optimizer.", Map.of("w", w)))
        .isInstanceOf(SafetensorsException.class)
        .hasMessageContaining("another model");
  }

  @Test
  void theFileIsSafetensorsWithTheDigestOfItsBytes() throws Exception {
    var file = save(new Checkpoints(folder, 1), 3);
    assertThat(Safetensors.load(file)).containsOnlyKeys("model.w", "optimizer.w");
    String digits = Safetensors.metadata(file).get("sha256");
    assertThat(digits).hasSize(64);
    var zeroed =
        Files.readString(file, ISO_8859_1).replace(digits, "0".repeat(64)).getBytes(ISO_8859_1);
    var digest = MessageDigest.getInstance("SHA-256").digest(zeroed);
    assertThat(HexFormat.of().formatHex(digest)).isEqualTo(digits);
  }

  @Test
  void everyDamagedByteAndEveryLengthIsNoticedAndTheOneBeforeIsTaken() throws IOException {
    var checkpoints = new Checkpoints(folder, 2);
    save(checkpoints, 1);
    var file = save(checkpoints, 2);
    var whole = Files.readAllBytes(file);
    for (int i = 0; i < whole.length; i++) {
      for (var bit : new int[] {1, 32, 128}) {
        var broken = whole.clone();
        broken[i] ^= (byte) bit;
        assertPassedOver(file, broken, String.format(Locale.ROOT, "bit %d of byte %d", bit, i));
      }
    }
    for (int length = 0; length < whole.length; length++) {
      assertPassedOver(file, Arrays.copyOf(whole, length), "cut to " + length);
    }
    assertPassedOver(file, Arrays.copyOf(whole, whole.length + 1), "longer");
    assertPassedOver(file, new byte[whole.length], "zeros");
    Files.write(file, whole);
    assertThat(newest()).isEqualTo(2);
  }

  private void assertPassedOver(Path file, byte[] content, String what) throws IOException {
    Files.write(file, content);
    assertThat(newest()).as(what).isEqualTo(1);
    assertThat(reports).as(what).hasSize(1);
    assertThat(reports.getFirst())
        .as(what)
        .contains(file.toString())
        .doesNotContain("\n")
        .hasSizeLessThan(600);
  }

  @Test
  void theLastOnesStayAndOnlyOnceTheNewOneIsWritten() throws IOException {
    var checkpoints = new Checkpoints(folder, 2);
    for (int step = 1; step <= 5; step++) {
      save(checkpoints, step);
    }
    save(checkpoints, 5);
    assertThat(folder.toFile().list())
        .containsExactlyInAnyOrder(
            "checkpoint-0000000004.safetensors", "checkpoint-0000000005.safetensors");
    Files.createDirectories(folder.resolve("checkpoint-0000000006.safetensors").resolve("in"));
    var next = new Checkpoints(folder, 1);
    assertThat(next.newest(reports::add).orElseThrow().step()).isEqualTo(5);
    assertThatThrownBy(() -> save(next, 6)).isInstanceOf(IOException.class);
    assertThat(folder.resolve("checkpoint-0000000004.safetensors")).exists();
    assertThat(newest()).isEqualTo(5);
  }

  @Test
  void damagedOnesGoWhenASoundOneIsSaved() throws IOException {
    var checkpoints = new Checkpoints(folder, 3);
    save(checkpoints, 1);
    for (var step : new int[] {5, 6}) {
      Files.write(save(checkpoints, step), new byte[9]);
    }
    var next = new Checkpoints(folder, 1);
    assertThat(next.newest(reports::add).orElseThrow().step()).isEqualTo(1);
    assertThat(reports).hasSize(2);
    save(next, 2);
    assertThat(folder.toFile().list()).containsExactly("checkpoint-0000000002.safetensors");
    Files.write(folder.resolve("checkpoint-0000000002.safetensors"), new byte[9]);
    assertThat(newest()).isEqualTo(-1);
    assertThat(reports).hasSize(1);
  }

  @Test
  void aTrainingThatForgotToLookDestroysNothing() throws IOException {
    save(new Checkpoints(folder, 3), 5);
    assertThatThrownBy(() -> save(new Checkpoints(folder, 1), 1))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("checkpoint-0000000005.safetensors is newer")
        .hasMessageContaining("newest()");
    assertThat(newest()).isEqualTo(5);
  }

  @Test
  void whatAKilledProcessLeftIsRemoved() throws IOException {
    Files.write(folder.resolve(".checkpoint-0000000001.safetensors.12-0.tmp"), new byte[99]);
    assertThat(newest()).isEqualTo(-1);
    assertThat(reports).isEmpty();
    save(new Checkpoints(folder, 2), 1);
    assertThat(folder.toFile().list()).containsExactly("checkpoint-0000000001.safetensors");
  }

  /** Before the first step, not at the first save. */
  @Test
  void aFolderThatCannotHoldAnyIsSaidAtOnce() throws IOException {
    var file = Files.createFile(folder.resolve("weights"));
    assertThatThrownBy(() -> new Checkpoints(file, 2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("checkpoints: " + file + " is a file; name a folder, there or to be made");
    var below = new Checkpoints(file.resolve("checkpoints"), 2);
    var parts = new Parts().withText("at", () -> "1", _ -> {});
    assertThatThrownBy(() -> below.restore(parts, reports::add))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith(
            file.resolve("checkpoints") + ": the folder of the checkpoints cannot be made: ");
    assertThatThrownBy(() -> below.save(1, parts))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("cannot be made: ");
    var fresh = folder.resolve("a/b");
    assertThat(new Checkpoints(fresh, 2).restore(parts, reports::add)).isZero();
    assertThat(fresh).isDirectory();
    assertThat(reports).isEmpty();
  }

  /** Who trains is to know; who looks need not mind. */
  @Test
  void aFolderThatCannotBeWrittenToIsAnErrorWhereNothingIsAndALineWhereSomethingIs()
      throws IOException {
    var parts = new Parts().withText("at", () -> "1", _ -> {});
    var empty = Files.createDirectory(folder.resolve("empty"));
    var used = folder.resolve("used");
    new Checkpoints(used, 2).save(3, parts);
    try {
      for (var each : List.of(empty, used)) {
        assumeTrue(each.toFile().setWritable(false) && !Files.isWritable(each), "root writes all");
      }
      assertThatThrownBy(() -> new Checkpoints(empty, 2).restore(parts, reports::add))
          .isInstanceOf(IOException.class)
          .hasMessageStartingWith(empty + ": the folder of the checkpoints cannot be written to");
      assertThat(reports).isEmpty();
      assertThat(new Checkpoints(used, 2).restore(parts, reports::add)).isEqualTo(3);
      assertThat(reports).singleElement().asString().startsWith(used + ": ");
    } finally {
      for (var each : List.of(empty, used)) {
        assertThat(each.toFile().setWritable(true)).isTrue();
      }
    }
  }

  @Test
  void misuseIsRefused() throws IOException {
    assertThatThrownBy(() -> new Checkpoints(folder, 0)).hasMessageContaining("got 0");
    var checkpoints = new Checkpoints(folder, 2);
    assertThatThrownBy(() -> checkpoints.save(1, Map.of(), Map.of("sha256", "")))
        .isInstanceOf(IllegalArgumentException.class);
    save(checkpoints, 4);
    assertThatThrownBy(() -> save(checkpoints, 3)).hasMessage("checkpoint 3 after 4");
    assertThatThrownBy(() -> checkpoints.save(-1, Map.of(), Map.of()))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void anInterruptedThreadSavesButDoesNotTakeAnUnreadFileForDamaged() throws IOException {
    var checkpoints = new Checkpoints(folder, 2);
    Thread.currentThread().interrupt();
    save(checkpoints, 1);
    assertThat(Thread.currentThread().isInterrupted()).isTrue();
    assertThatThrownBy(() -> checkpoints.newest(reports::add))
        .isInstanceOf(ClosedByInterruptException.class);
    assertThat(Thread.interrupted()).isTrue();
    assertThat(newest()).isEqualTo(1);
  }
}
