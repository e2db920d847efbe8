/**
 * What one step of a recurrence, or one row of a pointwise composite, computes, and its gradient, as a
 * graph of values: the body runs once on stand-ins and is noted ({@code StepTrace}), the graph is
 * differentiated ({@code Step}). Kernels are made from it elsewhere.
 */
@NullMarked
package carousel.tensor.cpu.step;

import org.jspecify.annotations.NullMarked;
