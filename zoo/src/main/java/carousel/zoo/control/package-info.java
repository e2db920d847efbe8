/** What acts in a world and learns from what it is given for that. */
@NullMarked
package carousel.zoo.control;

import org.jspecify.annotations.NullMarked;
