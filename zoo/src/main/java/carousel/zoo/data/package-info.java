/** Data whose best possible result is known. */
@NullMarked
package carousel.zoo.data;

import org.jspecify.annotations.NullMarked;
