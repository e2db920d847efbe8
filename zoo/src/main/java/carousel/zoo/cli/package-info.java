/** The systems of the literature as runnable programs, and the command line. */
@NullMarked
package carousel.zoo.cli;

import org.jspecify.annotations.NullMarked;
