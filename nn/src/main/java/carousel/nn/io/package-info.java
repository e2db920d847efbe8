/** Weights to and from files. */
@NullMarked
package carousel.nn.io;

import org.jspecify.annotations.NullMarked;
