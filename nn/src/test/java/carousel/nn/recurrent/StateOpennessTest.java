package carousel.nn.recurrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.nn.UserModule;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.TensorScope;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A user's state in a module of their own that opens its package or does not. */
class StateOpennessTest {
  private static final Map<String, String> SOURCES =
      Map.of(
          "cells/Hidden.java",
          "package cells; import carousel.nn.recurrent.RecurrentState; import carousel.tensor.Tensor;"
              + " record Hidden(Tensor h, Tensor c) implements RecurrentState {}",
          "cells/Shown.java",
          "package cells; import carousel.nn.recurrent.RecurrentState; import carousel.tensor.Tensor;"
              + " public record Shown(Tensor h, Tensor c) implements RecurrentState {"
              + " public static RecurrentState hidden(Tensor h) { return new Hidden(h, h); } }",
          "entry/Hidden.java",
          "package entry; import carousel.nn.recurrent.RecurrentState; import carousel.tensor.Tensor;"
              + " public final class Hidden implements java.util.function.Function<Tensor, RecurrentState> {"
              + " public RecurrentState apply(Tensor h) { return cells.Shown.hidden(h); } }",
          "entry/Shown.java",
          "package entry; import carousel.nn.recurrent.RecurrentState; import carousel.tensor.Tensor;"
              + " public final class Shown implements java.util.function.Function<Tensor, RecurrentState> {"
              + " public RecurrentState apply(Tensor h) { return new cells.Shown(h, h); } }");

  @TempDir Path folder;

  private RecurrentState state(String directive, String entry) throws Exception {
    return UserModule.compile(folder, directive, SOURCES).make(entry, Tensor.of(1.0, 2.0));
  }

  @Test
  void aClosedPackageIsAnErrorThatSaysWhatToAdd() throws Exception {
    try (var scope = TensorScope.open()) {
      for (String entry : new String[] {"entry.Hidden", "entry.Shown"}) {
        assertThatThrownBy(state("", entry)::tensors)
            .isInstanceOf(TensorException.class)
            .hasMessageContaining("of module user is closed to reflection")
            .hasMessageContaining("add 'opens cells to carousel.nn;' to its module-info.java");
      }
      assertThatThrownBy(state("exports cells;", "entry.Hidden")::tensors)
          .hasMessageContaining("state: cells.Hidden of module user is closed to reflection");
    }
  }

  @Test
  void anOpenedPackageAndAPublicRecordOfAnExportedOneAreTakenApart() throws Exception {
    try (var scope = TensorScope.open()) {
      for (RecurrentState state :
          new RecurrentState[] {
            state("opens cells to carousel.nn;", "entry.Hidden"),
            state("exports cells;", "entry.Shown")
          }) {
        var doubled = RecurrentState.map(state, h -> h.mul(2));
        assertThat(doubled).hasSameClassAs(state);
        assertThat(doubled.tensors().getLast().toDoubleArray()).containsExactly(2, 4);
      }
    }
  }
}
