/** Losses. */
@NullMarked
package carousel.nn.loss;

import org.jspecify.annotations.NullMarked;
