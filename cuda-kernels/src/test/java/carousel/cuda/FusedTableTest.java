package carousel.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.nn.Training;
import carousel.nn.init.Init;
import carousel.nn.layer.Dropout;
import carousel.nn.layer.LayerNorm;
import carousel.nn.layer.Linear;
import carousel.nn.loss.CrossEntropy;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Cells;
import carousel.nn.recurrent.RecurrentState;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Interpreter;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What layers and cells apply has the kernels that are written for it. */
class FusedTableTest {
  private static final Init INIT = Init.uniform(0.5);

  @Test
  @Tag(Cuda.DEVICE)
  void layersAndStepsRunByKernels() {
    Map<String, Boolean> kernels = new TreeMap<>();
    Interpreter watch =
        (op, in) -> {
          if (op instanceof Composite composite) {
            kernels.put(composite.label(), composite.fused(in) != null);
          }
          return Interpreter.EAGER.apply(op, in);
        };
    try (var scope = TensorScope.open(Cuda.device())) {
      var rng = Philox.of(1);
      watch.run(() -> {
        Tensor x = Linear.of(3, 4, INIT, rng).apply(Tensor.ones(5, 3));
        Tensor y = LayerNorm.of(4).apply(Training.with(rng, () -> new Dropout(0.5).apply(x)));
        return CrossEntropy.of().apply(y, Tensor.of(0, 1, 2, 3, CrossEntropy.IGNORED));
      });
      for (String cell : List.of("lstm", "peephole", "cifg", "gru-after")) {
        watch.run(() -> step(Cells.of(cell, 3, 4, INIT, rng)));
      }
    }
    assertThat(kernels)
        .containsOnlyKeys(
            "linear",
            "dropout",
            "layer_norm",
            "cross_entropy",
            "lstm.gates",
            "peephole.gates",
            "cifg.gates",
            "gru_after.gates")
        .doesNotContainValue(false);
  }

  private static <S extends RecurrentState> S step(Cell<S> cell) {
    return cell.step(cell.project(Tensor.ones(1, 2, 3)).select(0, 0), cell.zero(2));
  }
}
