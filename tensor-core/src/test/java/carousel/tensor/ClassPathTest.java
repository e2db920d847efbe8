package carousel.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.jvm.FreshJvm;
import org.junit.jupiter.api.Test;

/** On the class path, with and without the Vector API: what users get who add no flag. */
class ClassPathTest {
  /** A small computation. */
  public static final class Program {
    /** Prints a result. */
    public static void main(String[] args) {
      try (var scope = Scope.open()) {
        Tensor x = Tensor.ones(20, 30).matmul(Tensor.ones(30, 4)).tanh().sum();
        System.out.println("the sum is " + x.item());
      }
    }
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
