/** Layers as records, parameters, initialisers and losses. */
@NullMarked
package carousel.nn;

import org.jspecify.annotations.NullMarked;
