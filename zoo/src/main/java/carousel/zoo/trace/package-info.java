/** Programs turned into drawings: an interpreter that notes what runs instead of only running it. */
@NullMarked
package carousel.zoo.trace;

import org.jspecify.annotations.NullMarked;
