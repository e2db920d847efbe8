/**
 * What one step of a recurrence, or one row of a composite, computes, and its gradient, as a graph of
 * values: code runs once on stand-ins and is noted ({@code StepTrace}), the graph is differentiated
 * ({@code JointGraph}). Backends make kernels of it.
 */
@NullMarked
package carousel.tensor.trace;

import org.jspecify.annotations.NullMarked;
