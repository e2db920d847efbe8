/** From text to batches: vocabularies, streams and padded batches. */
@NullMarked
package carousel.nn.data;

import org.jspecify.annotations.NullMarked;
