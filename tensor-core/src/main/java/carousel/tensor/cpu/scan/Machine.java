package carousel.tensor.cpu.scan;

import carousel.tensor.op.Op;
import java.util.function.ToIntFunction;

/**
 * What a plan has to know of the machine.
 *
 * @param lanes L, the elements of a vector
 * @param size bytes of code that a row takes
 */
record Machine(int lanes, ToIntFunction<Op> size) {}
