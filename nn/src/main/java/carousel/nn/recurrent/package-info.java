/** Recurrent cells as graphs, and the scan that runs them over time. */
@NullMarked
package carousel.nn.recurrent;

import org.jspecify.annotations.NullMarked;
