/** Measurements of the engine and of the layers built on it, with JMH. */
@NullMarked
package carousel.benchmarks;

import org.jspecify.annotations.NullMarked;
