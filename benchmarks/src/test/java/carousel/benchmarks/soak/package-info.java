/** What the soak finds. */
@NullMarked
package carousel.benchmarks.soak;

import org.jspecify.annotations.NullMarked;
