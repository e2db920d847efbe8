/** What a comparison reads, computes and prints; the measuring itself needs the other libraries. */
@NullMarked
package carousel.benchmarks.compare;

import org.jspecify.annotations.NullMarked;
