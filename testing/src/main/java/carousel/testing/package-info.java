/** Contracts for ops and cells of a user's own, and gradient checks as JUnit tests. */
@NullMarked
package carousel.testing;

import org.jspecify.annotations.NullMarked;
