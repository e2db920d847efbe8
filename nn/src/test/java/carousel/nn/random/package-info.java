/** Random programs, run by their kernels and by their bodies: what comes out must be the same. */
@NullMarked
package carousel.nn.random;

import org.jspecify.annotations.NullMarked;
