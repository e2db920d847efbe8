/** What models are made of: layers as records, their parameters, and whether they train. */
@NullMarked
package carousel.nn;

import org.jspecify.annotations.NullMarked;
