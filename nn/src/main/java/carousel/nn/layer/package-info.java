/** Layers that are not recurrent. */
@NullMarked
package carousel.nn.layer;

import org.jspecify.annotations.NullMarked;
