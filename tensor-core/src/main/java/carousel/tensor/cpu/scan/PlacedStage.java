package carousel.tensor.cpu.scan;

import carousel.tensor.cpu.loop.Pointwise;
import java.util.List;

/**
 * A stage that knows its memory, ready to run; or its folds.
 *
 * @param folds whether its programs need all columns of a row
 * @param products run first
 * @param codes run then, on every vector of columns
 */
record PlacedStage(boolean folds, List<Product> products, List<Code> codes) {
  /**
   * A product of left operands on the heap with packed weights.
   *
   * @param out where it is put
   * @param onto whether it is added to what is there
   * @param arrays the left operands, {@code [array][parity]}
   * @param depths columns of each
   * @param weights the packed weights of each term
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Product(Block out, boolean onto, Object[][] arrays, int[] depths, long[] weights) {}

  /**
   * An elementwise program, ready to run.
   *
   * @param loop the program, compiled
   * @param program what it does
   * @param arrays the heap arrays it stores to, {@code [array][parity]}
   * @param ahead which of them hold a state for the next step
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Code(
      Pointwise.Executable loop, StageProgram program, Object[][] arrays, boolean[] ahead) {}
}
