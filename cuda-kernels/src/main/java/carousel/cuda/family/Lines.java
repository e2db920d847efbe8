package carousel.cuda.family;

import carousel.cuda.launch.Positions;
import carousel.cuda.launch.View;

/**
 * The lines of elements along one axis of an operand and of a result of its shape.
 *
 * @param starts where the lines start: of the operand, then of the result
 * @param step from one element of a line to the next, in elements
 * @param targetStep the same of the result
 * @param length the elements of a line
 * @param dense whether a line's elements lie closer to each other than those of neighbouring lines
 */
record Lines(Positions starts, long step, long targetStep, long length, boolean dense) {
  static Lines of(View x, View y, int axis) {
    int[] axes = {axis};
    View starts = x.only(axes, false);
    return new Lines(
        Positions.of(starts, y.only(axes, false)),
        x.strides()[axis],
        y.strides()[axis],
        x.dims()[axis],
        Math.abs(x.strides()[axis]) <= starts.step());
  }
}
