package carousel.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.jvm.FreshJvm;
import carousel.tensor.spi.Backend;
import carousel.tensor.spi.BackendProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On the class path, with and without the Vector API: what users get who add no flag. */
class ClassPathTest {
  /** A small computation. */
  public static final class Program {
    /** Prints a result. */
    public static void main(String[] args) {
      try (var scope = TensorScope.open()) {
        Tensor x = Tensor.ones(20, 30).matmul(Tensor.ones(30, 4)).tanh().sum();
        System.out.println("the sum is " + x.item());
      }
    }
  }

  /** Says that it opens whatever it is asked for, and does not. */
  public static final class Greedy implements BackendProvider {
    /** Loads nothing. */
    public Greedy() {}

    @Override
    public List<String> names() {
      return List.of("cpu", "reference", "greedy");
    }

    @Override
    public Optional<Backend> open(String name) {
      throw new TensorException(name + ": opened by someone else");
    }
  }

  /** Uses whatever devices there are. */
  public static final class Lister {
    /** Prints their names. */
    public static void main(String[] args) {
      Program.main(args);
      System.out.println("there are " + Device.all());
    }
  }

  /** A file that names what there is not, and a provider of everything. */
  @Test
  void othersOnTheClassPathTakeNoDeviceAway(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("META-INF/services/" + BackendProvider.class.getName());
    Files.createDirectories(file.getParent());
    Files.writeString(file, "no.such.Provider\n" + Greedy.class.getName() + "\n");
    var outcome = FreshJvm.runBehind(folder, Lister.class);
    assertThat(outcome.output())
        .contains("the sum is 80.0", "there are [cpu, reference, greedy]")
        .contains("passing over", "no.such.Provider");
  }

  @Test
  void theVectorApiIsUsedWhereItIsThere() {
    var outcome = FreshJvm.run(Program.class, "-Dcarousel.vector=require");
    assertThat(outcome.output()).contains("the sum is 80.0").doesNotContain("scalar loops");
  }

  @Test
  void withoutItTheFlagToAddIsNamedOnce() {
    var outcome = FreshJvm.runBare(Program.class);
    assertThat(outcome.output())
        .contains("the sum is 80.0")
        .containsOnlyOnce("--add-modules jdk.incubator.vector");
  }

  @Test
  void whoWantsScalarLoopsHearsNothing() {
    var outcome = FreshJvm.runBare(Program.class, "-Dcarousel.vector=off");
    assertThat(outcome.output()).contains("the sum is 80.0").doesNotContain("--add-modules");
  }

  @Test
  void whoRequiresItIsTold() {
    var outcome = FreshJvm.runBare(Program.class, "-Dcarousel.vector=require");
    assertThat(outcome.exit()).isNotZero();
    assertThat(outcome.output()).contains("start Java with --add-modules jdk.incubator.vector");
  }

  @Test
  void propertiesThatCannotBeReadAreRefused() {
    var outcome =
        FreshJvm.run(
            Program.class,
            "-Dcarousel.vector=yes",
            "-Dcarousel.vector.bits=100",
            "-Dcarousel.memory=some",
            "-Dcarousel.threads=100000",
            "-Dcarousel.fused=no");
    assertThat(outcome.exit()).isNotZero();
    assertThat(outcome.output())
        .contains("-Dcarousel.vector=yes: give auto, off or require, or leave it out")
        .contains("-Dcarousel.vector.bits=100: give 128, 256 or 512, or leave it out")
        .contains("-Dcarousel.memory=some: give a whole number of bytes, or one followed by k,")
        .contains("-Dcarousel.threads=100000: give a whole number from 1 to 1024, or leave it out")
        .contains("-Dcarousel.fused=no: give on, off or check, or leave it out")
        .contains("TensorException")
        .doesNotContain("ExceptionInInitializerError");
  }

  @Test
  void theCapIsTheOneAskedFor() {
    assertThat(FreshJvm.run(Program.class, "-Dcarousel.memory=2k").output())
        .contains("out of memory on cpu", "cap 2,048", "-Dcarousel.memory=");
  }
}
