/** Operations, each one row: a name, a scalar definition and a rule for its gradient. */
@NullMarked
package carousel.tensor.op;

import org.jspecify.annotations.NullMarked;
