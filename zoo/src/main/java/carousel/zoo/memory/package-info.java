/** Associative memories. */
@NullMarked
package carousel.zoo.memory;

import org.jspecify.annotations.NullMarked;
