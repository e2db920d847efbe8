package carousel.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.nn.Init;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Cells;
import carousel.nn.recurrent.GatedCell;
import carousel.tensor.Philox;
import carousel.tensor.Scope;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What a kernel takes for granted of a cell's weights is what the cell declares. */
class RecurrentCellTest {

  @Test
  void gatesStandInTheOrderThatKernelsReadThem() {
    Set<RecurrentCell> met = EnumSet.noneOf(RecurrentCell.class);
    try (var scope = Scope.open()) {
      for (String name : Cells.names()) {
        Cell<?> cell = Cells.of(name, 2, 3, Init.zeros(), Philox.of(1));
        RecurrentCell kernel = RecurrentCell.of(cell.label(), "");
        if (kernel != null) {
          met.add(kernel);
        }
        if (kernel != null && cell instanceof GatedCell<?> gated) {
          assertThat(kernel.order()).as(name).isEqualTo(gated.gates());
          assertThat(kernel.products()).as(name).isEqualTo(gated.products().size());
          assertThat(kernel.order().names().subList(0, kernel.products()))
              .as("products of %s", name)
              .isEqualTo(gated.products().names());
        } else if (kernel != null) {
          assertThat(kernel.gates()).as(name).isEqualTo(1);
        }
      }
    }
    assertThat(met).as("cells that have kernels").containsExactlyInAnyOrder(RecurrentCell.values());
  }
}
