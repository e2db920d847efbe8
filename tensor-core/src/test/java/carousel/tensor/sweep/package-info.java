/** What rows of F32 give for every number that there is; {@code benchmarks/sweep-rows} runs it. */
@NullMarked
package carousel.tensor.sweep;

import org.jspecify.annotations.NullMarked;
