package carousel.nn.recurrent;

import carousel.tensor.trace.Untraced;
import java.lang.System.Logger.Level;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Says of each cell why it runs op by op, each reason once. */
final class SlowCells {
  private static final System.Logger LOG = System.getLogger("carousel.nn");
  private static final Set<String> NOTED = ConcurrentHashMap.newKeySet();

  private SlowCells() {}

  static void note(Cell<?> cell, int steps, Untraced why) {
    if (steps > 1 && NOTED.add(cell.getClass().getName() + why.getMessage())) {
      LOG.log(
          Level.INFO,
          "{0} has no kernel and runs op by op: {1}; see Recurrent.explain",
          cell.getClass().getName(),
          why.getMessage());
    }
  }
}
