/** JMH with the profiler of tensor memory. */
@NullMarked
package carousel.benchmarks.memory;

import org.jspecify.annotations.NullMarked;
