package carousel.cuda.scan;

import carousel.tensor.Shape;

/**
 * A weight of a recurrent cell, beside those of its input.
 *
 * @param name as in the cell's formulas
 * @param blocks of H columns in {@code [H,blocks·H]}; 0 of a vector {@code [H]}
 */
record CellWeight(String name, int blocks) {
  boolean isVector() {
    return blocks == 0;
  }

  Shape shape(int hidden) {
    return isVector() ? Shape.of(hidden) : Shape.of(hidden, blocks * hidden);
  }
}
