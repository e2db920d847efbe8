/**
 * Kernels that are made from code. Of recurrences: what a cell's step computes is noted,
 * differentiated, planned and compiled, and whole sequences run on packed weights ({@code Scans}).
 * Of pointwise composites, which are a step without products ({@code Composites}).
 */
@NullMarked
package carousel.tensor.cpu.scan;

import org.jspecify.annotations.NullMarked;
