/** The reference backend: scalar, in double precision, slow and obviously right. */
@NullMarked
package carousel.tensor.reference;

import org.jspecify.annotations.NullMarked;
