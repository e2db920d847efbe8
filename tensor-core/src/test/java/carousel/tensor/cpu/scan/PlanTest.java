package carousel.tensor.cpu.scan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.op.Scan;
import carousel.tensor.trace.JointGraph;
import carousel.tensor.trace.ScanTrace;
import carousel.tensor.trace.Untraced;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** How steps are cut into stages and programs, and what a reader of the plan sees. */
class PlanTest {
  private static final int UNITS = 5;

  private static Plan plan(int size, Scan.Step step, int columns, int... states) {
    var rng = Philox.of(1);
    Tensor z = rng.normal(DType.F32, 0, 1, 2, 3, columns);
    List<Tensor> before =
        java.util.Arrays.stream(states)
            .mapToObj(width -> rng.normal(DType.F32, 0, 1, 3, width))
            .toList();
    var given = new Scan.Given(List.of(new Scan.Sequence(z)), before, null, 2, 3);
    Scan.Call call = ScanTrace.of(step, given, TensorScope.current());
    JointGraph both = call.step().differentiate(DType.F32, Device.cpu());
    return new Plan(both, new Machine(16, op -> size), false, Set.of());
  }

  @Test
  void aPlainCellIsOneStageAndOneProgramEachWay() {
    try (var scope = TensorScope.open()) {
      Tensor w = Tensor.ones(DType.F32, UNITS, 4 * UNITS);
      Plan plan =
          plan(
              20,
              (in, s) -> {
                List<Tensor> a = in[0].add(s[0].matmul(w)).chunk(4, -1);
                Tensor c =
                    a.get(0).sigmoid().mul(s[1]).add(a.get(1).sigmoid().mul(a.get(2).tanh()));
                Tensor h = a.get(3).sigmoid().mul(c.tanh());
                return new Tensor[] {h, h, c};
              },
              4 * UNITS,
              UNITS,
              UNITS);
      assertThat(plan.groups).hasSize(1);
      assertThat(plan.forward.stream().filter(s -> !s.programs().isEmpty())).hasSize(1);
      assertThat(plan.backward.stream().filter(s -> !s.programs().isEmpty())).hasSize(1);
      assertThat(plan.forward.getLast().programs()).hasSize(1);
      assertThat(plan.backward.getLast().programs()).hasSize(1);
      assertThat(Dump.of(plan))
          .contains("step, stage 1", "= sigmoid r", "gradient, stage 0", "carried b");
    }
  }

  /** Programs that are too long are cut, in the step and in its gradient. */
  @Test
  void noProgramIsTooLong() {
    try (var scope = TensorScope.open()) {
      Plan plan =
          plan(
              100,
              (in, s) -> {
                Tensor u = s[0];
                for (int i = 0; i < 60; i++) {
                  u = u.add(in[0]).tanh().mul(s[0]);
                }
                return new Tensor[] {u, u};
              },
              UNITS,
              UNITS);
      for (Stage stage : List.of(plan.forward.getFirst(), plan.backward.getFirst())) {
        assertThat(stage.programs()).hasSizeGreaterThan(2);
        for (StageProgram program : stage.programs()) {
          long bytes =
              100
                  * program.code().code().stream()
                      .filter(Pointwise.Apply.class::isInstance)
                      .count();
          assertThat(bytes).isLessThanOrEqualTo(Pointwise.MOST_BYTES);
        }
      }
    }
  }

  /** A sum over columns is a stage of its own; what little is computed of it needs no other. */
  @Test
  void aFoldWaitsForAStage() {
    try (var scope = TensorScope.open()) {
      Plan plan =
          plan(
              100,
              (in, s) -> {
                Tensor u = in[0].add(s[0]).tanh();
                Tensor mean = u.mean(-1, true);
                Tensor next = u.sub(mean).mul(mean.square().add(1).rsqrt());
                return new Tensor[] {next, next};
              },
              40,
              40);
      assertThat(plan.forward).hasSize(2);
      assertThat(plan.forward.get(1).folds()).hasSize(1);
      StageProgram fold = plan.forward.get(1).folds().getFirst();
      assertThat(fold.code().code()).contains(new Pointwise.Swap(9, 8));
      assertThat(Dump.of(plan)).contains("fold of width 1", "vector 2", "xor 8", "= lane");
    }
  }

  @Test
  void whyThereIsNoKernelIsSaid() {
    try (var scope = TensorScope.open()) {
      var rng = Philox.of(1);
      Tensor z = rng.normal(DType.F32, 0, 1, 2, 3, UNITS);
      Tensor h = Tensor.zeros(DType.F32, Shape.of(3, UNITS).toArray());
      var given = new Scan.Given(List.of(new Scan.Sequence(z)), List.of(h), null, 2, 3);
      Scan.Step step =
          (in, s) -> {
            Tensor next = in[0].add(s[0]).sin();
            return new Tensor[] {next, next};
          };
      assertThatThrownBy(() -> ScanTrace.of(step, given, TensorScope.current()))
          .isInstanceOf(Untraced.class)
          .hasMessageContaining("no kernel has the rows [cos, sin]");
    }
  }
}
