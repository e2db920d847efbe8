/**
 * Hours of training of random models, watched for what grows: {@code benchmarks/soak}.
 *
 * <p>{@link carousel.benchmarks.soak.Soak} runs rounds of {@link carousel.benchmarks.soak.Trial}s, takes a
 * {@link carousel.benchmarks.soak.Sample} every minute, and gives a verdict at the end.
 */
@NullMarked
package carousel.benchmarks.soak;

import org.jspecify.annotations.NullMarked;
