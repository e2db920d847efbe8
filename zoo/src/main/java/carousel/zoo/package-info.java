/** The systems of the literature as runnable programs, and the command line. */
@NullMarked
package carousel.zoo;

import org.jspecify.annotations.NullMarked;
