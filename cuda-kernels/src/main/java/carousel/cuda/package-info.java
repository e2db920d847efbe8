/**
 * CUDA as a device of Carousel: {@link carousel.cuda.CudaProvider} opens it, and {@link
 * carousel.cuda.CudaBackend} hands each method to the room that computes it. Services find both; nothing is
 * compiled against this module.
 */
@NullMarked
package carousel.cuda;

import org.jspecify.annotations.NullMarked;
