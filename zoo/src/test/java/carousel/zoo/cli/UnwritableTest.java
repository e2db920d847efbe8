package carousel.zoo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import carousel.nn.io.Checkpoints;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** A disk that is full, and a folder that may not be written: the training says so, and nothing is lost. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "full disks are made with Linux namespaces")
class UnwritableTest {
  private static final FileAttribute<?> READ_ONLY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("r-xr-xr-x"));

  /**
   * Room for two checkpoints and the one being written as they are in the first epoch, 0.8 MB each, and
   * for the best weights, 0.3 MB, but not for those of the second epoch, which hold these, too.
   */
  private static final String SIZE = "3100k";

  @TempDir private Path folder;

  @BeforeEach
  void requirePosix() {
    assumeTrue(FileSystems.getDefault().supportedFileAttributeViews().contains("posix"));
  }

  private Object[] train(int epochs, Object... more) throws IOException {
    String lines = "the cat sat on the mat\na dog sat on the rug and the cat saw it\n".repeat(60);
    var text = Files.writeString(folder.resolve("text.txt"), lines);
    var arguments = new ArrayList<Object>(List.of("train", "--data", text));
    arguments.addAll(List.of("--hidden", 64, "--layers", 2, "--batch", 4, "--steps", 16));
    arguments.addAll(List.of("--epochs", epochs));
    arguments.addAll(List.of(more));
    return arguments.toArray();
  }

  /** A shell as the root of a user namespace, where it may mount what only its children see. */
  private static List<String> inNamespace(String script, Object... arguments) {
    var command = new ArrayList<>(List.of("unshare", "--user", "--map-root-user", "--mount"));
    command.addAll(List.of("sh", "-e", "-c", script, "sh"));
    for (var argument : arguments) {
      command.add(argument.toString());
    }
    return command;
  }

  private void requireNamespaces() throws Exception {
    var probe = folder.resolve("probe");
    try {
      var child = Child.start(probe, inNamespace("mount -t tmpfs -o size=1m tmpfs \"$1\"", folder));
      if (child.exitCode() == 0) {
        return;
      }
    } catch (IOException e) {
      abort("SKIPPED: a full disk is made by mounting a small one, and there is no unshare: " + e);
    }
    abort("SKIPPED: a full disk is made by mounting a small one: " + Files.readString(probe));
  }

  @Test
  void onAFullDiskItGoesOnSaysSoOnceAndLosesNothing() throws Exception {
    requireNamespaces();
    var whole = folder.resolve("whole");
    var child = Child.start(folder.resolve("log"), List.of(), train(4, "--out", whole));
    assertThat(child.exitCode()).as(child.output()).isZero();

    // It ends with 1, since its end cannot be written; then there is room, and it goes on.
    String script =
        String.format(
            Locale.ROOT,
            """
            mount -t tmpfs -o size=%s tmpfs "$1"; disk=$1; resume=$2; shift 2
            "$@" && exit 9; test $? = 1
            mount -o remount,size=100m "$disk"
            $resume
            cp -r "$disk"/run "$disk".out
            """,
            SIZE);
    var disk = Files.createDirectory(folder.resolve("disk"));
    var run = disk.resolve("run");
    var resume = Child.command(List.of(), "train", "--resume", run, "--keep", 2);
    var arguments = new ArrayList<Object>(List.of(disk, String.join(" ", resume)));
    arguments.addAll(Child.command(List.of(), train(4, "--out", run, "--every", 1, "--keep", 2)));
    child = Child.start(folder.resolve("log"), inNamespace(script, arguments.toArray()));
    assertThat(child.exitCode()).as(child.output()).isZero();
    assertThat(child.output().split("cannot be written: No space left on device", -1))
        .as("once while it goes on, once at the end:\n%s", child.output())
        .hasSize(3);
    assertThat(child.output())
        .contains(
            "The training goes on and tries again; the last good one, of step ",
            "epoch 4/4",
            "perplexity of the best weights, those of epoch",
            "the checkpoint of step 64 cannot be written: No space",
            "Make room or permission there",
            "goes on    in epoch 2 of 4");
    assertThat(Ending.of(folder.resolve("disk.out"))).isEqualTo(Ending.of(whole));
  }

  @Test
  void onAFullDiskItStopsWhereThatWasAskedFor() throws Exception {
    requireNamespaces();
    String script =
        String.format(
            Locale.ROOT,
            """
            mount -t tmpfs -o size=%s tmpfs "$1"; disk=$1; shift
            "$@" && exit 9; test $? = 1
            cp -r "$disk"/run "$disk".out
            """,
            SIZE);
    var disk = Files.createDirectory(folder.resolve("disk"));
    var run = disk.resolve("run");
    var saving = new Object[] {"--out", run, "--every", 1, "--keep", 2, "--stop-on-write-error"};
    var arguments = new ArrayList<Object>(List.of(disk));
    arguments.addAll(Child.command(List.of(), train(4, saving)));
    var child = Child.start(folder.resolve("log"), inNamespace(script, arguments.toArray()));
    assertThat(child.exitCode()).as(child.output()).isZero();
    assertThat(child.output())
        .contains("cannot be written, and the training was stopped: No space left on device")
        .contains("./carousel train --resume " + run + " goes on from there")
        .doesNotContain("epoch 2/4");
    var good = new Checkpoints(folder.resolve("disk.out/checkpoints"), 2).newest(Assertions::fail);
    assertThat(child.output())
        .contains(
            String.format(
                Locale.ROOT, "the last good one, of step %d, stays", good.orElseThrow().step()));
  }

  @Test
  void anExportThatDoesNotFitLeavesTheFileThatWasThere() throws Exception {
    requireNamespaces();
    var run = folder.resolve("run");
    var train = Child.start(folder.resolve("log"), List.of(), train(1, "--out", run));
    assertThat(train.exitCode()).as(train.output()).isZero();
    var disk = Files.createDirectory(folder.resolve("disk"));
    String script =
        """
        mount -t tmpfs -o size=64k tmpfs "$1"; disk=$1; shift
        for name in model.onnx model.safetensors; do
          echo before > "$disk/$name"
          "$@" "$disk/$name" && exit 9; test $? = 1
          test "$(cat "$disk/$name")" = before
        done
        test "$(ls "$disk" | wc -l)" = 2
        """;
    var arguments = new ArrayList<Object>(List.of(disk));
    arguments.addAll(Child.command(List.of(), "export", run));
    var child = Child.start(folder.resolve("log"), inNamespace(script, arguments.toArray()));
    assertThat(child.exitCode()).as(child.output()).isZero();
    for (var name : List.of("model.onnx", "model.safetensors")) {
      assertThat(child.output())
          .contains("carousel: cannot write " + disk.resolve(name) + ": No space left on device")
          .contains("what was there before is unchanged");
    }
  }

  /** As an ordinary user, whom permissions bind: root, whom they do not, gives up what sets it apart. */
  private List<String> asOrdinaryUser(List<String> command) throws Exception {
    if (!Files.isWritable(Files.createDirectory(folder.resolve("probe"), READ_ONLY))) {
      return command;
    }
    var bound =
        new ArrayList<>(List.of("setpriv", "--bounding-set=-dac_override,-dac_read_search"));
    bound.addAll(command);
    return bound;
  }

  /** Something that comes to be true while a child runs. */
  @FunctionalInterface
  private interface Event {
    boolean came() throws IOException;
  }

  private static void waitFor(Child child, Event event) throws Exception {
    for (int i = 0; i < 1200 && child.process().isAlive() && !event.came(); i++) {
      TimeUnit.MILLISECONDS.sleep(50);
    }
    assertThat(event.came()).as(child.output()).isTrue();
  }

  @Test
  void aFolderThatTurnsReadOnlyIsReportedAndUsedAgainWhenItIsNot() throws Exception {
    var run = folder.resolve("run");
    var checkpoints = run.resolve("checkpoints");
    var command = Child.command(List.of(), train(100_000, "--out", run, "--every", 1));
    var child = Child.start(folder.resolve("log"), asOrdinaryUser(command));
    try {
      waitFor(child, () -> Files.exists(run.resolve("best.safetensors")));
      var mode = Files.getPosixFilePermissions(checkpoints);
      Files.setPosixFilePermissions(checkpoints, PosixFilePermissions.fromString("r-xr-xr-x"));
      waitFor(child, () -> child.output().contains("cannot be written: permission denied"));
      var held = checkpoints.toFile().list();
      TimeUnit.MILLISECONDS.sleep(200);
      assertThat(checkpoints.toFile().list()).containsExactlyInAnyOrder(held);
      assertThat(child.output().split("cannot be written", -1)).hasSize(2);
      assertThat(new Checkpoints(checkpoints, 3).newest(Assertions::fail)).isPresent();
      Files.setPosixFilePermissions(checkpoints, mode);
      waitFor(child, () -> child.output().contains("checkpoints are written again"));
    } finally {
      child.process().destroyForcibly().waitFor();
    }
  }

  @Test
  void aFolderThatIsReadOnlyFromTheStartIsRefusedInOneMessage() throws Exception {
    var place = Files.createDirectory(folder.resolve("place"), READ_ONLY);
    var command = Child.command(List.of(), train(1, "--out", place.resolve("run")));
    var child = Child.start(folder.resolve("log"), asOrdinaryUser(command));
    assertThat(child.exitCode()).isEqualTo(1);
    assertThat(child.output())
        .contains("cannot write " + place.resolve("run") + ": permission denied")
        .contains("make room or permission there, or choose another folder with --out");
  }
}
