/** Functions that are made of rows, against formulas and loops. */
@NullMarked
package carousel.tensor.functions;

import org.jspecify.annotations.NullMarked;
