package carousel.zoo.control;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Value iteration against the geometry: the way up, along the edge, and down is the shortest. */
class GridWorldTest {
  @ParameterizedTest
  @CsvSource({"12, 4", "3, 2", "5, 7", "20, 3"})
  void theBestReturnIsTheWayAroundTheCliff(int width, int height) {
    var world = new GridWorld(width, height);
    assertThat(world.known().best()).isEqualTo(-(width - 1) - 2.0);
    var best = world.best();
    for (int state = 0; state < world.states(); state++) {
      if (world.isCliff(state) || state == world.goal()) {
        continue;
      }
      int right = width - 1 - state % width;
      int down = height - 1 - state / width;
      int around = down == 0 && right == width - 1 ? 2 : 0; // up from the start, and down again
      assertThat(QTable.max(best, state)).as("state %d", state).isEqualTo(-right - down - around);
    }
  }
}
