package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.scan.Block.RowKind;
import carousel.tensor.cpu.scan.Block.Slot;
import carousel.tensor.trace.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The programs of one stage: of every width those that compute and store values of that width. */
final class StagePasses {
  private final Function<Value, @Nullable Slot> read;
  private final Places places;
  private final Machine machine;
  private final Map<Integer, Passes> ofWidths = new LinkedHashMap<>();

  /**
   * The programs of a stage.
   *
   * @param read where a value can be read from; null if it is computed here
   */
  StagePasses(Function<Value, @Nullable Slot> read, Places places, Machine machine) {
    this.read = read;
    this.places = places;
    this.machine = machine;
  }

  /** Those of one width. */
  Passes of(int width) {
    return ofWidths.computeIfAbsent(
        width,
        w ->
            new Passes(
                w, read, machine.size(), columns -> places.block(1, columns, RowKind.BATCH)));
  }

  List<StageProgram> programs() {
    List<StageProgram> all = new ArrayList<>();
    ofWidths.values().forEach(passes -> all.addAll(passes.programs()));
    return all;
  }
}
