/**
 * Kernels of recurrences: the graph of a cell's step is cut into products and elementwise loops, and
 * whole sequences run on packed weights ({@code Scans}).
 */
@NullMarked
package carousel.tensor.cpu.scan;

import org.jspecify.annotations.NullMarked;
