package carousel.tensor.cpu.scan;

import carousel.tensor.DType;
import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.loop.Tiles;
import java.util.IdentityHashMap;
import java.util.Objects;

/**
 * A plan whose programs are compiled.
 *
 * @param plan the plan
 * @param type of all values
 * @param tiles the tiles of that type
 * @param copy reads its only slot and keeps it in its only array
 * @param loops the plan's programs, by identity
 */
record Compiled(
    Plan plan,
    DType type,
    Tiles tiles,
    Pointwise.Executable copy,
    IdentityHashMap<StageProgram, Pointwise.Executable> loops) {
  /** A program, compiled. */
  Pointwise.Executable loop(StageProgram program) {
    return Objects.requireNonNull(loops.get(program));
  }
}
