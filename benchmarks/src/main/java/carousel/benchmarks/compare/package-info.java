/**
 * Carousel and other libraries measured beside each other: {@code benchmarks/compare}.
 *
 * <p>A coordinator ({@link carousel.benchmarks.compare.Compare}) keeps one process per contender and
 * setting, and tells them one at a time over their standard input what to time. This package needs
 * none of the other libraries; the programs that do are in {@code src/peers/java}.
 */
@NullMarked
package carousel.benchmarks.compare;

import org.jspecify.annotations.NullMarked;
