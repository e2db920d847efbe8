/**
 * What benchmarks of tensor programs need beside JMH: the memory of tensors ({@link
 * carousel.jmh.TensorMemoryProfiler}), and a warm-up that ends when the compiler does ({@link
 * carousel.jmh.WarmUp}).
 */
@NullMarked
package carousel.jmh;

import org.jspecify.annotations.NullMarked;
