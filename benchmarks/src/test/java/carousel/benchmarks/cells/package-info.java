/** Cells of the benchmarks are what they say they are. */
@NullMarked
package carousel.benchmarks.cells;

import org.jspecify.annotations.NullMarked;
