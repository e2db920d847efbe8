package carousel.testing;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.autograd.Grad;
import carousel.autograd.GradCheck;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;

/** Checks as JUnit tests: their names, what is skipped, and what scopes tell. */
class GradCheckSourceTest {

  @ParameterizedTest
  @GradCheckSource(
      orders = {1, 2},
      devices = {"cpu", "reference"},
      seeds = {1, 2, 3})
  void ofScaledTanh(GradCheck check) {
    assertThat(TensorScope.current().device()).isEqualTo(check.device());
    Tensor x = Philox.of(check.seed()).normal(DType.F64, 0, 1, 3, 2);
    var report = check.run("scaled tanh", in -> in[0].mul(2).tanh(), x).require();
    assertThat(report.orders()).hasSize(check.order());
  }

  @Disabled("runs inside of the tests below")
  static class Planted {
    @ParameterizedTest
    @GradCheckSource(
        orders = {1, 2},
        devices = {"cpu", "cuda:97"},
        seeds = 4)
    void right(GradCheck check) {
      check.run("tanh", in -> in[0].tanh(), Tensor.of(0.5, 1.0)).require();
    }

    @ParameterizedTest
    @GradCheckSource(orders = 1, devices = "cpu", seeds = 9)
    void wrong(GradCheck check) {
      check
          .run("half", in -> in[0].mul(0.5).add(in[0].detach().mul(0.5)), Tensor.of(0.5, 1.0))
          .require();
    }
  }

  @Test
  void namesAreTheOrderTheDeviceAndTheSeed() {
    Map<String, String> outcomes = Outcomes.of(Planted.class);
    assertThat(outcomes).hasSize(5);
    assertThat(outcomes)
        .containsEntry("[1] order 1, cpu, seed 4", "SUCCESSFUL")
        .containsEntry("[2] order 2, cpu, seed 4", "SUCCESSFUL");
    assertThat(outcomes.get("[1] order 1, cpu, seed 9"))
        .startsWith("FAILED: gradient of half: WRONG");
  }

  @Test
  void aDeviceThatIsNotThereIsSkippedWithTheReason() {
    Map<String, String> outcomes = Outcomes.of(Planted.class);
    assertThat(outcomes.get("[3] order 1, cuda:97, seed 4"))
        .startsWith("ABORTED: device: there is no 'cuda:97' here")
        .contains("found [cpu, reference");
    assertThat(outcomes.get("[4] order 2, cuda:97, seed 4")).startsWith("ABORTED");
  }

  @Test
  void devicesAreThoseOfThisMachineUnlessNamed() {
    assertThat(Devices.named()).startsWith(Device.cpu(), Device.reference());
    assertThat(Devices.named("reference")).containsExactly(Device.reference());
    assertThat(Devices.absence(Device.cpu())).isNull();
  }

  @Disabled("runs inside of the test below")
  @ExtendWith(ScopeExtension.class)
  static class Scopes {
    private static TensorScope around;
    private Tensor made;

    @BeforeAll
    static void open() {
      around = TensorScope.open();
    }

    @AfterAll
    static void close() {
      around.close();
    }

    @BeforeEach
    void make() {
      made = Tensor.of(1.0, 2.0);
    }

    @Test
    void isOpen(TensorScope scope) {
      assertThat(scope).isSameAs(TensorScope.current());
      assertThat(scope.owns(made)).isTrue();
      Objects.requireNonNull(Grad.of(() -> made.square().sum(), made));
    }

    @Test
    void keeps(TensorScope scope) {
      scope.keep(Tensor.zeros(DType.F64, 100));
    }

    @Test
    void leavesAScopeOpen() {
      TensorScope.open();
    }

    @Test
    void leavesAPullbackOpen() {
      var pullback = Grad.vjp(() -> made.add(1).square().sum(), made);
      assertThat(pullback.value().item()).isEqualTo(13);
    }
  }

  @Test
  void scopesAreOpenedAndClosedAndWhatOutlivesThemIsToldOf() {
    Map<String, String> outcomes = Outcomes.of(Scopes.class);
    assertThat(outcomes).hasSize(4);
    assertThat(outcomes.get("isOpen(TensorScope)")).isEqualTo("SUCCESSFUL");
    assertThat(outcomes.get("keeps(TensorScope)"))
        .startsWith("SUCCESSFUL with {kept=")
        .contains("bytes in the scope opened at");
    assertThat(outcomes.get("leavesAScopeOpen()"))
        .startsWith("FAILED: the test left open the scope opened at")
        .contains("GradCheckSourceTest.java:");
    assertThat(outcomes.get("leavesAPullbackOpen()"))
        .startsWith("FAILED: ")
        .contains("on cpu outlive the test", "close pullbacks");
  }
}
