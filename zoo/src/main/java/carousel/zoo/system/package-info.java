/** The frame that every system of the zoo stands in: how one is declared, run, and held to what it declares. */
@NullMarked
package carousel.zoo.system;

import org.jspecify.annotations.NullMarked;
