/**
 * Kernels of recurrences: what a cell's step computes is noted, differentiated, planned and compiled,
 * and whole sequences run on packed weights.
 */
@NullMarked
package carousel.tensor.cpu.scan;

import org.jspecify.annotations.NullMarked;
