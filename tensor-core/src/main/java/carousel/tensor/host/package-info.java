/** The memory of the host, for every backend that computes there: where it comes from, and how it is read and written. */
@NullMarked
package carousel.tensor.host;

import org.jspecify.annotations.NullMarked;
