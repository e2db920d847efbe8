/** Readers under seeded mutations of sound files, for the tests of all modules. */
@NullMarked
package carousel.tensor.fuzz;

import org.jspecify.annotations.NullMarked;
