/** Work of a device noted instead of done, and done as one piece: {@link carousel.tensor.Replay}. */
@NullMarked
package carousel.cuda.replay;

import org.jspecify.annotations.NullMarked;
