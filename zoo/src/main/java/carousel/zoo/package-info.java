/** The systems of the zoo, by name. */
@NullMarked
package carousel.zoo;

import org.jspecify.annotations.NullMarked;
