/** Other libraries as contestants of {@code benchmarks/compare}; compiled by the profile {@code peers}. */
@NullMarked
package carousel.benchmarks.peers;

import org.jspecify.annotations.NullMarked;
