package carousel.autograd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.CustomOp;
import carousel.tensor.op.Vjp;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Faults as people make them, one at a time: each is found by the standard settings, as what it is. */
class GradCheckFaultsTest {
  private final TensorScope scope = TensorScope.open();

  @AfterEach
  void close() {
    scope.close();
  }

  static Stream<Fault> faults() {
    return Stream.of(RuleFaults.all(), ProgramFaults.all()).flatMap(List::stream);
  }

  @ParameterizedTest
  @MethodSource("faults")
  void areFound(Fault fault) {
    var report =
        GradCheck.standard().run(fault.what(), fault.program().get(), fault.inputs().get());
    assertThat(report.passed()).as("%s", report).isFalse();
    assertThat(report.findings())
        .as("%s", report)
        .anySatisfy(finding -> {
          assertThat(finding.kind()).isEqualTo(fault.found());
          assertThat(finding.toString()).contains(fault.said());
        });
    assertThatThrownBy(report::require)
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("gradient of " + fault.what());
  }

  @Test
  void areAtLeastForty() {
    assertThat(faults().count()).isGreaterThanOrEqualTo(40);
  }

  @Test
  void shapesOfMistakenGradientsAreNamed() {
    var op = CustomOp.of("mine", (Tensor x) -> x.square(), Vjp.fromInput((g, x) -> g.sum(0)));
    var report = GradCheck.standard().run("mine", in -> op.apply(in[0]), Fault.one(2, 3).get());
    assertThat(report.toString()).contains("mine").contains("[3]").contains("[2,3]");
    assertThat(Shape.of(2, 3).toString()).isEqualTo("[2,3]");
  }
}
