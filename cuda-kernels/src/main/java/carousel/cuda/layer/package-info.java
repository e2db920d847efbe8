/** Fused forms of the composites of layers, written by hand: a forward and a backward each. */
@NullMarked
package carousel.cuda.layer;

import org.jspecify.annotations.NullMarked;
