/** Differentiation: the tape, gradients, products with Jacobians, and their numerical check. */
@NullMarked
package carousel.autograd;

import org.jspecify.annotations.NullMarked;
