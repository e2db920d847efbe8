/** Optimisers, learning-rate schedules and gradient clipping. */
@NullMarked
package carousel.nn.optim;

import org.jspecify.annotations.NullMarked;
